package probe

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cldcde/restash/cmd/restash/internal/reply"
)

//go:embed exchanges.txt
var exchanges string

// exchange is one question.
type exchange struct {
	section, source, question string
	redis                     bool // Redis itself answers it, without Upstash's additions
	method, path, body        string
	header                    http.Header
	shown                     string // the request, for people
	want                      expectation
}

// list parses the exchanges that are built in.
func list() ([]exchange, error) { return parse(exchanges) }

// parse reads the format that the head of exchanges.txt explains.
func parse(text string) ([]exchange, error) {
	var p parser
	n := 0
	for line := range strings.Lines(text) {
		n++
		if err := p.line(strings.TrimRight(line, "\n")); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if p.open {
		return nil, errors.New("the last request has no answer")
	}
	return p.all, nil
}

type parser struct {
	all      []exchange
	at       exchange // section, source and question of what follows
	question string
	open     bool // the last exchange waits for its "<"
}

func (p *parser) line(line string) error {
	mark, rest, _ := strings.Cut(line, " ")
	if p.open && mark != "+" && mark != "<" {
		return errors.New("a request without an answer")
	}
	switch {
	case line == "", mark == "#":
		return nil
	case mark == "==":
		return p.section(rest)
	case mark == "?":
		p.question = rest
		return nil
	case mark == ">":
		return p.request(rest)
	case mark == "+" && p.open:
		name, value, _ := strings.Cut(rest, ":")
		p.last().header[http.CanonicalHeaderKey(name)] = []string{strings.TrimSpace(value)}
		p.last().shown += fmt.Sprintf(" (%s)", strings.TrimSpace(rest))
		return nil
	case mark == "<" && p.open:
		p.open = false
		return p.last().want.parseAnswer(rest)
	}
	return p.command(line)
}

func (p *parser) last() *exchange { return &p.all[len(p.all)-1] }

func (p *parser) section(rest string) error {
	parts := strings.Split(rest, " | ")
	if len(parts) < 2 {
		return errors.New("a section needs a title and a source")
	}
	p.at = exchange{section: parts[0], source: parts[1], redis: len(parts) == 2}
	p.question = ""
	return nil
}

// add completes an exchange by where it stands. A question belongs to the
// exchange that follows it.
func (p *parser) add(x exchange) {
	x.section, x.source, x.redis, x.question = p.at.section, p.at.source, p.at.redis, p.question
	x.header = http.Header{}
	p.question = ""
	p.all = append(p.all, x)
}

// request is a whole HTTP request: METHOD PATH BODY.
func (p *parser) request(rest string) error {
	method, rest, _ := strings.Cut(rest, " ")
	path, body, _ := strings.Cut(rest, " ")
	if !strings.HasPrefix(path, "/") {
		return errors.New("a request needs a method and a path")
	}
	p.add(exchange{method: method, path: path, body: body, shown: strings.TrimSpace(method + " " + path + " " + body)})
	p.open = true
	return nil
}

// command is a command as redis-cli takes it, and what follows "=>".
func (p *parser) command(line string) error {
	typed, want, found := strings.Cut(line, " => ")
	if !found {
		return errors.New("a command without =>")
	}
	args, err := reply.Split(typed)
	if err != nil {
		return err
	}
	body, err := json.Marshal(args)
	if err != nil {
		return err
	}
	p.add(exchange{method: http.MethodPost, path: "/", body: string(body), shown: typed})
	return p.last().want.parseResult(want)
}

package trial

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Address is where the call goes unless Config says otherwise.
const Address = "https://upstash.com/start-redis"

// Lifetime is how long a database lives that nobody claims.
const Lifetime = 72 * time.Hour

// callTime bounds the call: a database is made meanwhile.
const callTime = 30 * time.Second

// maxAnswer bounds the page that is read.
const maxAnswer = 64 << 10

// ErrAnswer says that what came back names no database. It never repeats the
// answer, which may hold a token.
var ErrAnswer = errors.New("the answer names no database")

// Config says what to call, as whom.
type Config struct {
	Address   string // "" means [Address]
	ID        string // a version 4 UUID: the same one gives the same database
	UserAgent string
}

// Database is what was made. Whoever knows ID can ask for URL and Token again.
type Database struct {
	ID      string `json:"id"`
	URL     string `json:"url"`
	Token   string `json:"token"`
	Expires string `json:"expires"` // in the service's words
	Console string `json:"console"` // where a signed-in person can keep it
	Metrics string `json:"metrics"`
}

// Format keeps the token out of logs.
func (d Database) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "trial database "+d.URL) }

// NewID returns the identifier of a database that does not exist yet.
func NewID() string { return uuid.NewString() }

// CheckID refuses what the service would not take as an identifier.
func CheckID(id string) error {
	if parsed, err := uuid.Parse(id); err != nil || parsed.Version() != 4 || len(id) != 36 {
		return errors.New("is not a version 4 UUID")
	}
	return nil
}

// Create makes the database, or asks for it again. Calling twice with one
// identifier makes one database.
func Create(ctx context.Context, config Config) (Database, error) {
	if config.Address == "" {
		config.Address = Address
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, config.Address, nil)
	if err != nil {
		return Database{}, err
	}
	req.Header.Set("Idempotency-Key", config.ID)
	req.Header.Set("User-Agent", config.UserAgent)
	// Another host than the one that was named gets no request.
	caller := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := caller.Do(req)
	if err != nil {
		return Database{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return Database{}, fmt.Errorf("the service answered %s", resp.Status)
	}
	return parse(io.LimitReader(resp.Body, maxAnswer))
}

// parse reads the page by its labels: "**Token:** abc". Words around them may
// change; without an address and a token there is no database.
func parse(page io.Reader) (Database, error) {
	var d Database
	fields := map[string]*string{
		"database id": &d.ID, "id": &d.ID, "endpoint": &d.URL, "rest url": &d.URL, "url": &d.URL,
		"token": &d.Token, "rest token": &d.Token, "expires": &d.Expires, "metrics": &d.Metrics, "metrics url": &d.Metrics, "console": &d.Console, "console url": &d.Console,
	}
	lines := bufio.NewScanner(page)
	for lines.Scan() {
		line := plain(lines.Text())
		label, value, found := strings.Cut(line, ":")
		if into := fields[strings.ToLower(strings.TrimSpace(label))]; found && into != nil && *into == "" {
			*into = strings.TrimSpace(value)
		}
		if d.Console == "" && strings.Contains(line, "/start-redis/console/") {
			d.Console = link(line)
		}
	}
	if err := lines.Err(); err != nil {
		return Database{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if !usable(d.URL) || d.Token == "" || strings.ContainsAny(d.Token, " \t") {
		return Database{}, ErrAnswer
	}
	return d, nil
}

// plain takes Markdown's marks off a line.
func plain(line string) string {
	return strings.TrimLeft(strings.NewReplacer("**", "", "`", "").Replace(line), " -*>|")
}

func link(line string) string {
	for word := range strings.FieldsSeq(line) {
		if at := strings.Index(word, "https://"); at >= 0 {
			return strings.TrimRight(word[at:], ".,)>")
		}
	}
	return ""
}

// usable accepts what a token may be sent to: TLS, or this machine.
func usable(address string) bool {
	at, err := url.Parse(address)
	if err != nil || at.Host == "" {
		return false
	}
	ip := net.ParseIP(at.Hostname())
	return at.Scheme == "https" || at.Scheme == "http" && (at.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

package upstashtest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Config says what server to start. The zero value is a server on a free port
// of the loopback interface with random tokens and an empty database in memory.
type Config struct {
	// Addr is the address to listen on; "" is 127.0.0.1:0, a free port.
	Addr string
	// Token is the standard token, ReadOnlyToken one that may only read.
	// Empty ones are made at random.
	Token, ReadOnlyToken string
	// Tokens are further tokens, by name of their owner. Names and tokens
	// must differ; each has a bill of its own.
	Tokens []Token
	// InMemory starts no listener: only [Server.HTTPClient] and
	// [Server.Handler] reach the server. This works in a synctest bubble.
	InMemory bool
	// Engine holds the data; nil is a new database in memory. The server
	// closes it.
	Engine Engine
	// ReplicaLag lets a replica answer all reading commands (transactions and
	// scripts excepted), which is behind by this time: reads that carry the
	// sync token of a write wait for it, others are stale. 0 is no replica.
	// It needs the engine in memory.
	ReplicaLag time.Duration
	// Limits are those of the plan to stand in for, such as [Free]. The zero
	// value has the sizes of [PayAsYouGo] and no quotas.
	Limits Limits
	// Without are names of commands that the server does not know, such as
	// "MSETEX": it stands in for an older one. Scripts still know them.
	Without []string
	// Logger gets one line for each request that cannot work (unknown
	// route, wrong token, dead engine); nil is silent. It never gets tokens
	// or values.
	Logger *slog.Logger
	// Seed fixes everything that is drawn at random in the database.
	Seed uint64
}

// Token is one more credential for the server.
type Token struct {
	Name     string // for [Server.BillOf]; "" is not allowed
	Value    string // the token itself
	ReadOnly bool

	user bool // the token is of ACL RESTTOKEN: the engine knows the user's rights
}

// Names of the two tokens that every server has, for [Server.BillOf].
const (
	StandardName = "default"
	ReadOnlyName = "default_ro"
)

func (c Config) withDefaults() Config {
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.Token == "" {
		c.Token = rand.Text()
	}
	if c.ReadOnlyToken == "" {
		c.ReadOnlyToken = rand.Text()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	if strings.ContainsAny(c.Token+c.ReadOnlyToken, " \r\n") {
		return errors.New("upstashtest: Config.Token and Config.ReadOnlyToken must hold no blanks")
	}
	if c.ReplicaLag < 0 || c.ReplicaLag > 0 && c.Engine != nil {
		return errors.New("upstashtest: Config.ReplicaLag must not be negative and needs the engine in memory")
	}
	names := map[string]bool{}
	values := map[string]bool{}
	for _, t := range c.tokens() {
		if t.Name == "" || names[t.Name] {
			return fmt.Errorf("upstashtest: Config.Tokens: name %q is empty or taken", t.Name)
		}
		if t.Value == "" || values[t.Value] {
			return fmt.Errorf("upstashtest: Config.Tokens: the token of %q is empty or taken", t.Name)
		}
		names[t.Name], values[t.Value] = true, true
	}
	return nil
}

// tokens returns all tokens, the two that every server has first.
func (c Config) tokens() []Token {
	return append([]Token{
		{Name: StandardName, Value: c.Token},
		{Name: ReadOnlyName, Value: c.ReadOnlyToken, ReadOnly: true},
	}, c.Tokens...)
}

package client

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Defaults of [Config] and [Limits].
const (
	DefaultTimeout      = 30 * time.Second
	DefaultMaxConns     = 64
	DefaultMaxRetries   = 3
	DefaultValueLimit   = 512 << 10
	DefaultKeyLimit     = 32 << 10
	DefaultRequestLimit = 10 << 20
	DefaultReplyLimit   = 32 << 20
)

// Values that turn a thing off.
const (
	NoRetry = -1 // for Config.MaxRetries
	NoLimit = -1 // for Config.MaxConns and the fields of Limits
)

// Encoding is how answers travel.
//
// A whole Get through a transport in memory, best of four runs of
// BenchmarkReply on two shared cores, and the body that travels:
//
//	value     JSON, base64       RESP2
//	100 B     7.3 µs, 149 B      6.1 µs, 108 B
//	1 KiB     9.7 µs, 1.4 kB     8.3 µs, 1.0 kB
//	100 KiB   130 µs, 137 kB     105 µs, 102 kB
//	1 MiB     2.0 ms, 1.4 MB     1.1 ms, 1.0 MB
//
// So RESP2 is worth it where bytes on the wire count. It is the less trodden path:
// servers and emulators differ in how they frame pipelines and errors, all of
// which this client reads.
type Encoding uint8

const (
	// JSON asks for JSON with strings in base64, as the official SDKs do. It
	// is byte-exact.
	JSON Encoding = iota
	// RESP2 asks for Redis's own format where the server has it: single
	// commands and pipelines. Transactions are answered in JSON.
	RESP2
)

// Limits are sizes in bytes above which nothing is sent, because the server would
// refuse it, and nothing is read. Zero means the default, [NoLimit] none. Raise them to what the
// database's plan allows.
type Limits struct {
	Value   int // one argument; default 512 KiB
	Key     int // one key; default 32 KiB, which is Upstash's own fixed limit
	Request int // all arguments of one command; default 10 MiB
	// Reply is one answer with all its replies, as it travels, unpacked if it
	// was gzipped; default 32 MiB: an answer of 10 MiB in base64 and more.
	Reply int
}

// Config describes a [Client]. Only URL and Token are needed.
type Config struct {
	// URL is the REST endpoint, such as https://eu1-example-12345.upstash.io.
	URL string
	// Token is the REST token, which is not the Redis password.
	Token string

	// Timeout bounds a call with all its retries; default 30 s. A context
	// that ends earlier wins. Streams are not bound by it.
	Timeout time.Duration
	// MaxConns bounds the connections to the server; a call waits for a free
	// one. Default 64. Streams are not counted.
	MaxConns int
	// MaxRetries is how often a command is sent again at most; default 3,
	// [NoRetry] for never.
	MaxRetries int
	// Limits are checked before anything is sent.
	Limits Limits

	// HTTPClient sends the requests, if it is set; its transport, redirect
	// policy, cookies and timeout (of each attempt) apply, and MaxConns is the
	// transport's affair. Without it the client makes a transport of its own: it
	// honours HTTP_PROXY and its relatives, resumes TLS sessions, and speaks
	// HTTP/2 if the server does, except on Vercel and Lambda; then callers share a
	// connection, also those that start together.
	HTTPClient *http.Client
	// AllowHTTP lists host names, without port, to which the token may travel
	// without TLS. Loopback addresses are always allowed.
	AllowHTTP []string
	// Encoding is how answers travel; default [JSON].
	Encoding Encoding

	// Coalesce lets the commands of callers that run at the same time travel
	// in common requests. Nobody waits for company: while nothing is under way a
	// command leaves at once; those that come meanwhile leave together when it is
	// answered, or when it takes longer than requests took lately, at most four
	// requests at once. Commands leave in the order in which they came. Each
	// caller keeps its own context and error. Arguments or replies of more than
	// 16 KiB, bytes that are not UTF-8, a [Client.Batch] and a [Client.Transaction]
	// go their own way, in requests of their own.
	Coalesce bool

	// StreamIdle is how long a stream may be silent, heartbeats included, before
	// its connection counts as dead and is opened again; default 5 minutes,
	// negative for never.
	StreamIdle time.Duration

	// Logger receives warnings; default [slog.Default].
	Logger *slog.Logger
	// Trace, if set, is told about requests and retries.
	Trace *Trace
	// DisableTelemetry leaves out the headers that tell Upstash which SDK,
	// platform and Go version are used. UPSTASH_DISABLE_TELEMETRY does too.
	DisableTelemetry bool
	// NoSyncToken turns read-your-writes off.
	NoSyncToken bool
}

func (cfg Config) withDefaults() Config {
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.MaxConns == 0 {
		cfg.MaxConns = DefaultMaxConns
	}
	if cfg.MaxRetries == 0 {
		cfg.MaxRetries = DefaultMaxRetries
	}
	if cfg.StreamIdle == 0 {
		cfg.StreamIdle = DefaultStreamIdle
	}
	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return cfg
}

func (l Limits) withDefaults() Limits {
	set := func(n *int, def int) {
		if *n == 0 {
			*n = def
		}
	}
	set(&l.Value, DefaultValueLimit)
	set(&l.Key, DefaultKeyLimit)
	set(&l.Request, DefaultRequestLimit)
	set(&l.Reply, DefaultReplyLimit)
	return l
}

// validate names the field that is wrong, never its content: both URL and
// Token may hold secrets.
func (cfg Config) validate() (*url.URL, error) {
	base, err := cfg.endpoint()
	if err != nil {
		return nil, err
	}
	switch {
	case cfg.Token == "":
		return nil, configError("Token", "is empty")
	case strings.ContainsFunc(cfg.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, configError("Token", "holds a character that no HTTP header can carry")
	case cfg.Timeout < 0:
		return nil, configError("Timeout", "is negative")
	case cfg.MaxRetries < NoRetry:
		return nil, configError("MaxRetries", "is less than NoRetry")
	case cfg.MaxConns < NoLimit:
		return nil, configError("MaxConns", "is less than NoLimit")
	case cfg.Encoding > RESP2:
		return nil, configError("Encoding", "is neither JSON nor RESP2")
	case cfg.Limits.Value < NoLimit || cfg.Limits.Key < NoLimit || cfg.Limits.Request < NoLimit || cfg.Limits.Reply < NoLimit:
		return nil, configError("Limits", "has a field less than NoLimit")
	}
	return base, nil
}

func (cfg Config) endpoint() (*url.URL, error) {
	if cfg.URL == "" {
		return nil, configError("URL", "is empty")
	}
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, configError("URL", "cannot be parsed")
	}
	switch {
	case u.Scheme == "redis" || u.Scheme == "rediss":
		return nil, configError("URL", "is a Redis address: use the REST URL, which begins with https://")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, configError("URL", "must begin with https://")
	case u.Hostname() == "":
		return nil, configError("URL", "has no host")
	case u.User != nil:
		return nil, configError("URL", "holds credentials: put the token in Token")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, configError("URL", "has a query or a fragment")
	case u.Scheme == "http" && !cfg.httpAllowed(u.Hostname()):
		return nil, configError("URL", "would send the token without TLS: use https:// or name the host in AllowHTTP (UPSTASH_REDIS_REST_ALLOW_HTTP)")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
}

func (cfg Config) httpAllowed(host string) bool {
	if host == "localhost" || slices.Contains(cfg.AllowHTTP, host) {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func configError(field, problem string) error {
	return fmt.Errorf("client: Config.%s %s", field, problem)
}

// DefaultStreamIdle is the default of [Config].StreamIdle.
const DefaultStreamIdle = 5 * time.Minute

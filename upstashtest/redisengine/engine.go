package redisengine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/cldcde/restash/upstashtest"
)

// Engine passes commands on to one Redis. Its methods may be called at once.
type Engine struct {
	client  *redis.Client
	scripts scripts
	compare bool // the Redis knows SET IFEQ and DELEX itself
}

var _ upstashtest.Engine = (*Engine)(nil)

// New connects to a URL such as redis://127.0.0.1:6379. The error says what is
// wrong with the URL, or that nothing answers there; it holds no password.
func New(ctx context.Context, url string) (*Engine, error) {
	opt, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("redisengine: the URL is not of the form redis://host:port")
	}
	// A lost reply must be seen by the caller, not repeated here.
	opt.MaxRetries, opt.Protocol, opt.DisableIdentity = -1, 2, true
	e := &Engine{client: redis.NewClient(opt)}
	info, err := e.client.Info(ctx, "server").Result()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("redisengine: no Redis at %s: %w", opt.Addr, err), e.client.Close())
	}
	e.compare = knowsCompare(info)
	return e, nil
}

// knowsCompare looks for Redis 8.4 or newer. Valkey says redis_version:7.
func knowsCompare(info string) bool {
	for line := range strings.Lines(info) {
		version, ok := strings.CutPrefix(line, "redis_version:")
		if !ok {
			continue
		}
		var major, minor int
		if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
			return false
		}
		return major > 8 || major == 8 && minor >= 4
	}
	return false
}

// Close closes the connections; the Redis keeps its data.
func (e *Engine) Close() error { return e.client.Close() }

// Do runs one command. The error is a connection's, never the Redis'.
func (e *Engine) Do(ctx context.Context, args []string) (upstashtest.Result, error) {
	args, reply, done := e.prepare(args)
	if done {
		return upstashtest.Result{Reply: reply}, nil
	}
	raw, err := e.client.DoRaw(ctx, anys(args)...).Result()
	if err != nil {
		return upstashtest.Result{}, fmt.Errorf("redisengine: %w", err)
	}
	v, _, err := upstashtest.ParseRESP(raw)
	return upstashtest.Result{Reply: v}, err
}

// Transaction runs the commands between MULTI and EXEC.
func (e *Engine) Transaction(ctx context.Context, cmds [][]string) ([]upstashtest.Result, upstashtest.Value, error) {
	results := make([]upstashtest.Result, len(cmds))
	raws := make([]*redis.RawCmd, len(cmds))
	pipe := e.client.TxPipeline()
	for i, args := range cmds {
		if no, ok := upstashtest.Served(args); !ok {
			return nil, discarded(string(no.Bytes)), nil
		}
		args, reply, done := e.prepare(args)
		if done {
			results[i].Reply = reply
			continue
		}
		raws[i] = redis.NewRawCmd(ctx, anys(args)...)
		if err := pipe.Process(ctx, raws[i]); err != nil {
			return nil, upstashtest.Value{}, fmt.Errorf("redisengine: %w", err)
		}
	}
	if pipe.Len() == 0 {
		return results, upstashtest.Value{}, nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		var answer redis.Error
		if errors.As(err, &answer) {
			return nil, discarded(answer.Error()), nil
		}
		return nil, upstashtest.Value{}, fmt.Errorf("redisengine: %w", err)
	}
	for i, raw := range raws {
		if raw == nil {
			continue
		}
		v, _, err := upstashtest.ParseRESP(raw.Val())
		if err != nil {
			return nil, upstashtest.Value{}, err
		}
		results[i].Reply = v
	}
	return results, upstashtest.Value{}, nil
}

func discarded(why string) upstashtest.Value {
	if strings.HasPrefix(why, "EXECABORT") {
		return upstashtest.ErrorValue(why)
	}
	return upstashtest.ErrorValue("EXECABORT Transaction discarded because of: " + why)
}

func anys(args []string) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a
	}
	return out
}

// prepare answers here what a shared Redis must not be asked, and rewrites
// what it would not understand.
func (e *Engine) prepare(args []string) ([]string, upstashtest.Value, bool) {
	if no, ok := upstashtest.Served(args); !ok {
		return nil, no, true
	}
	sub := ""
	if len(args) > 1 {
		sub = strings.ToUpper(args[1])
	}
	if no := kept(args, sub); no != "" {
		return nil, upstashtest.ErrorValue("ERR " + no), true
	}
	switch strings.ToUpper(args[0]) {
	case "COMMAND":
		v, _, err := upstashtest.ParseRESP([]byte("*0\r\n"))
		return nil, v, err == nil
	case "SET", "DELEX":
		if !e.compare {
			return compareScript(args), upstashtest.Value{}, false
		}
	case "EVAL", "EVAL_RO", "EVALSHA", "EVALSHA_RO", "SCRIPT":
		return e.scripts.rewrite(args), upstashtest.Value{}, false
	}
	return args, upstashtest.Value{}, false
}

// kept says why a command stays away from the Redis, which is shared.
func kept(args []string, sub string) (why string) {
	switch name := strings.ToUpper(args[0]); name {
	case "SELECT":
		if sub != "0" {
			return "DB index is out of range"
		}
	case "CONFIG":
		if (sub != "GET" || len(args) != 3) && (len(args) != 4 || !strings.EqualFold(args[2], "notify-keyspace-events")) {
			return "Unknown option or number of arguments for CONFIG " + sub
		}
	case "ACL":
		if !slices.Contains([]string{"WHOAMI", "CAT", "GENPASS", "USERS"}, sub) {
			return "ACL " + sub + " is not passed on to the Redis"
		}
	case "WAIT", "WAITAOF":
		return name + " is not passed on to the Redis"
	}
	return ""
}

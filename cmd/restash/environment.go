package main

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// The variables that name a Redis over REST. The KV_ ones are those of Vercel's
// older integration; package client decides which pair counts.
const (
	urlVariable   = "UPSTASH_REDIS_REST_URL"
	tokenVariable = "UPSTASH_REDIS_REST_TOKEN"
)

var redisVariables = []string{urlVariable, tokenVariable, "KV_REST_API_URL", "KV_REST_API_TOKEN"}

// redisIsNamed reports whether the environment names a Redis, be it in half:
// half a name is an error for package client to tell, not a reason for another
// Redis than the one that was meant.
func redisIsNamed() bool {
	for _, name := range redisVariables {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

func isRedisVariable(name string) bool { return slices.Contains(redisVariables, name) }

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quote makes a value safe to paste into a POSIX shell.
func quote(value string) string {
	if plainWord.MatchString(value) {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// cause strips the address from a network error, for messages that name it.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// newLogger writes warnings to stderr; there is one line per event.
func newLogger(cmd *cobra.Command) *slog.Logger {
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

package command

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

// Script is a Lua script that is sent by its hash. If the server does not
// know it, the client sends the source instead, once and for that command
// only. In a pipeline or transaction, whose order must hold, its first command
// carries the source at once and the others the hash. A Script may be used by any
// number of goroutines; make it once, in a package variable.
type Script struct {
	source, sha string
	readOnly    bool
}

// NewScript returns the script with that source.
func NewScript(source string) *Script { return newScript(source, false) }

// ReadOnly returns the script as one that only reads: the server refuses its
// writes, a read-only token may run it, and the transport may repeat it.
func (s *Script) ReadOnly() *Script { return newScript(s.source, true) }

// KeyLocked returns the script with Upstash's declaration that it touches no
// keys but those it is given. Such a script locks these keys only; others lock
// the whole database while they run. It must not be sent to another Redis.
func (s *Script) KeyLocked() *Script {
	flags := "allow-key-locking"
	if s.readOnly {
		flags = "no-writes,allow-key-locking"
	}
	return newScript("#!lua flags="+flags+"\n"+withoutShebang(s.source), s.readOnly)
}

// withoutShebang drops a first line that the script brought.
func withoutShebang(source string) string {
	if !strings.HasPrefix(source, "#!") {
		return source
	}
	_, rest, _ := strings.Cut(source, "\n")
	return rest
}

func newScript(source string, readOnly bool) *Script {
	sum := sha1.Sum([]byte(source))
	return &Script{source: source, sha: hex.EncodeToString(sum[:]), readOnly: readOnly}
}

// Source returns the text of the script.
func (s *Script) Source() string { return s.source }

// SHA returns the SHA-1 hash by which servers know the script.
func (s *Script) SHA() string { return s.sha }

// RunScript returns the command that runs s; its reply is read as by [Eval].
func RunScript[T any](s *Script, keys []string, args ...any) Command[T] {
	short, full := EvalSha[T](s.sha, keys, args...), "EVAL"
	if s.readOnly {
		short, full = EvalShaRO[T](s.sha, keys, args...), "EVAL_RO"
	}
	short.fallback = append([]string{full, s.source}, short.args[2:]...)
	return short
}

package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cldcde/restash/client/command"
)

// What callers branch on. Every error of this package that has one of these
// causes matches it with [errors.Is].
var (
	// ErrNil means that the key, field or member does not exist.
	ErrNil = command.ErrNil
	// ErrAuth means a missing or wrong token (status 401, WRONGPASS, NOAUTH).
	ErrAuth = errors.New("client: not authorized")
	// ErrPermission means that the token may not do this (status 403, NOPERM).
	ErrPermission = errors.New("client: not permitted")
	// ErrQuota means that the plan's requests or storage are used up, or that
	// requests come too fast (status 429).
	ErrQuota = errors.New("client: quota exceeded")
	// ErrTooLarge means that a key, value, request or reply is over a limit,
	// be it one of [Limits] or the server's.
	ErrTooLarge = errors.New("client: too large")
	// ErrWrongType means that the key holds another kind of value.
	ErrWrongType = errors.New("client: wrong type")
	// ErrNoScript means that the server does not know the script's hash.
	ErrNoScript = errors.New("client: no such script")
	// ErrReadOnly means that the server does not take writes at the moment.
	ErrReadOnly = errors.New("client: read only")
	// ErrProtocol means that the answer could not be understood.
	ErrProtocol = errors.New("client: protocol error")
	// ErrTransport means that there was no whole answer: dial, TLS, reset,
	// timeout, or a gateway's status.
	ErrTransport = errors.New("client: transport error")
	// ErrBinary means that arguments hold bytes that are not UTF-8 where the
	// REST interface has no way to carry them: in batches, and in more than
	// one argument of a command.
	ErrBinary = errors.New("client: argument is not UTF-8")
	// ErrRepeated means that the answer to a write was lost, that it was sent
	// again, and that the reply does not tell what the first one did: a ZREM
	// that answers 0 may have removed the member itself. The reply comes with the
	// error. See [command.Command.ForEffect].
	ErrRepeated = errors.New("client: repeated after a lost answer")
	// ErrClosed means that [Client.Close] was called before.
	ErrClosed = errors.New("client: closed")
)

// Sent says what is known about whether a failed command was executed.
type Sent uint8

const (
	SentNo      Sent = iota // surely not executed
	SentUnknown             // perhaps executed: the answer got lost
	SentYes                 // the server answered it
)

var sentNames = [...]string{"no", "unknown", "yes"}

// String returns no, unknown or yes.
func (s Sent) String() string {
	if int(s) < len(sentNames) {
		return sentNames[s]
	}
	return fmt.Sprintf("sent(%d)", uint8(s))
}

// Error is the error of a command or of a whole batch. Its text never holds
// the token, the URL or an argument.
type Error struct {
	Code     string // first upper-case word of the server's message, such as WRONGTYPE; "" if none
	Message  string // the server's message; "" if there was none
	Command  string // the command's name, "pipeline" or "multi-exec"
	Status   int    // HTTP status of the last answer, 0 if there was none
	Attempts int    // how many requests were made, 0 if nothing was sent
	Sent     Sent   // whether the command was executed
	Err      error  // the cause, if it was not the server

	kind     error // one of the sentinels, or nil
	repeated bool  // it is [ErrRepeated], too
}

// Error returns one line: command, cause, status and attempts.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("client: ")
	if e.Command != "" {
		b.WriteString(e.Command + ": ")
	}
	switch {
	case e.Message != "":
		b.WriteString(e.Message)
	case e.Err != nil:
		b.WriteString(e.cause())
	case e.kind != nil:
		b.WriteString(strings.TrimPrefix(e.kind.Error(), "client: "))
	default:
		b.WriteString("failed")
	}
	if e.repeated && e.Message != "" {
		b.WriteString("; an earlier attempt may have been executed")
	}
	if e.Status != 0 && e.Status != http.StatusOK {
		fmt.Fprintf(&b, " (status %d)", e.Status)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (%d attempts)", e.Attempts)
	}
	return b.String()
}

// cause is the text of Err without what the line has said already.
func (e *Error) cause() string {
	text := e.Err.Error()
	for _, prefix := range []string{"client: ", "command: ", e.Command + ": "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

// Is reports whether target is the sentinel of this error.
func (e *Error) Is(target error) bool {
	return e.kind != nil && e.kind == target || e.repeated && target == ErrRepeated
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Unavailable reports whether err means that there was no usable answer of
// Redis: a failed dial or TLS handshake, a timeout, a reset, status 5xx, 429,
// 401 or 403, an exceeded quota, a body that cannot be read. It is what a
// circuit breaker counts. An error reply such as WRONGTYPE is an answer. A
// cancelled context is the caller's doing and gives false; whether a deadline
// was the caller's own only the caller knows.
func Unavailable(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return errors.Is(err, ErrTransport) || errors.Is(err, ErrAuth) || errors.Is(err, ErrQuota)
	}
	switch e.kind {
	case ErrTransport, ErrAuth, ErrQuota:
		return true
	case ErrProtocol: // but not a reply that was read and had another shape
		return e.Sent != SentYes
	}
	return e.Status >= 500 || e.Status == http.StatusForbidden || errors.Is(err, context.DeadlineExceeded)
}

// ReplyError returns the error that r is, as an [*Error], or nil if r is no
// error: an error reply, or one that is [ErrRepeated]. It is for replies of [Client.Batch] and [Client.Transaction].
func ReplyError(cmd command.Cmd, r command.Reply) error {
	switch {
	case r.Kind == command.KindError:
		e := serverError(cmd.Name(), string(r.Bytes), http.StatusOK)
		e.repeated = r.Repeated
		return e
	case r.Repeated:
		return repeatedError(cmd.Name(), http.StatusOK, 2)
	}
	return nil
}

// serverError makes an Error of the server's words.
func serverError(name, message string, status int) *Error {
	message = redact(message)
	code := command.ServerError(message).Code()
	return &Error{
		Code: code, Message: message, Command: name, Status: status, Sent: SentYes,
		kind: classify(code, message, status),
	}
}

// redact cuts off what servers append of the command itself: its arguments
// may be secret, and may be a megabyte.
func redact(message string) string {
	for _, tail := range []string{", with args beginning with", ", command was:", ". Command was:"} {
		if head, _, found := strings.Cut(message, tail); found {
			message = head
		}
	}
	const most = 512
	if len(message) > most {
		message = strings.ToValidUTF8(message[:most], "") + "..."
	}
	return message
}

// classify goes by code and status first. Phrases are looked at only where
// Upstash has no code of its own for the case.
func classify(code, message string, status int) error {
	switch code {
	case "WRONGPASS", "NOAUTH":
		return ErrAuth
	case "NOPERM":
		return ErrPermission
	case "WRONGTYPE":
		return ErrWrongType
	case "NOSCRIPT":
		return ErrNoScript
	case "READONLY":
		return ErrReadOnly
	}
	switch {
	case status == http.StatusUnauthorized:
		return ErrAuth
	case status == http.StatusForbidden:
		return ErrPermission
	case status == http.StatusRequestEntityTooLarge || has(message, "max request size", "max single record size", "max key size"):
		return ErrTooLarge
	case status == http.StatusTooManyRequests || has(message, "max requests limit", "max daily request limit", "capacity quota"):
		return ErrQuota
	case status >= 500:
		return ErrTransport
	}
	return nil
}

func has(message string, phrases ...string) bool {
	for _, p := range phrases {
		if strings.Contains(message, p) {
			return true
		}
	}
	return false
}

func decodeError(name string, status, attempts int, err error) *Error {
	e := &Error{Command: name, Status: status, Attempts: attempts, Sent: SentYes, Err: err}
	if s, ok := errors.AsType[command.ServerError](err); ok {
		e = serverError(name, string(s), status)
		e.Attempts = attempts
	} else if errors.Is(err, command.ErrReply) {
		e.kind = ErrProtocol
	}
	return e
}

func repeatedError(name string, status, attempts int) *Error {
	return &Error{Command: name, Status: status, Attempts: attempts, Sent: SentYes, Err: ErrRepeated, repeated: true}
}

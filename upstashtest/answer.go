package upstashtest

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/cldcde/restash/client/command"
)

const hexDigits = "0123456789abcdef"

// appendEnvelope writes {"result":...} or {"error":...}.
func appendEnvelope(dst []byte, r command.Reply, b64 bool) []byte {
	if r.Kind == command.KindError {
		return appendErrorObject(dst, string(r.Bytes))
	}
	dst = append(dst, `{"result":`...)
	return append(appendReply(dst, r, b64), '}')
}

func appendErrorObject(dst []byte, text string) []byte {
	dst = append(dst, `{"error":`...)
	return append(appendString(dst, []byte(text)), '}')
}

// appendReply writes a reply as JSON. In base64 mode all strings are coded but
// the status OK. Chosen, see FIDELITY.md: a stored value that reads OK is coded,
// and errors inside an array are texts that stay readable.
func appendReply(dst []byte, r command.Reply, b64 bool) []byte {
	switch r.Kind {
	case command.KindInt:
		return strconv.AppendInt(dst, r.Int, 10)
	case command.KindArray:
		dst = append(dst, '[')
		for i, e := range r.Array {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendReply(dst, e, b64)
		}
		return append(dst, ']')
	case command.KindNil:
		return append(dst, "null"...)
	case command.KindError:
		return appendString(dst, r.Bytes)
	case command.KindStatus:
		if string(r.Bytes) == "OK" {
			return append(dst, `"OK"`...)
		}
	}
	if !b64 {
		return appendString(dst, r.Bytes)
	}
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, r.Bytes)
	return append(dst, '"')
}

// appendString writes b as a JSON string. What is not UTF-8 becomes U+FFFD,
// the silent damage that base64 mode avoids.
func appendString(dst, b []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(b); {
		c := b[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if r, size := utf8.DecodeRune(b[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, b[start:i]...)
		dst = appendEscape(dst, c)
		i++
		start = i
	}
	return append(append(dst, b[start:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch {
	case c >= utf8.RuneSelf:
		return append(dst, "\uFFFD"...)
	case c == '"' || c == '\\':
		return append(dst, '\\', c)
	case c == '\n':
		return append(dst, '\\', 'n')
	case c == '\r':
		return append(dst, '\\', 'r')
	case c == '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// appendRESP writes a reply as RESP2.
func appendRESP(dst []byte, r command.Reply) []byte {
	switch r.Kind {
	case command.KindInt:
		dst = strconv.AppendInt(append(dst, ':'), r.Int, 10)
	case command.KindStatus:
		dst = append(append(dst, '+'), r.Bytes...)
	case command.KindError:
		dst = append(append(dst, '-'), r.Bytes...)
	case command.KindNil:
		dst = append(dst, "$-1"...)
	case command.KindBulk:
		dst = strconv.AppendInt(append(dst, '$'), int64(len(r.Bytes)), 10)
		dst = append(append(dst, "\r\n"...), r.Bytes...)
	case command.KindArray:
		dst = strconv.AppendInt(append(dst, '*'), int64(len(r.Array)), 10)
		dst = append(dst, "\r\n"...)
		for _, e := range r.Array {
			dst = appendRESP(dst, e)
		}
		return dst
	}
	return append(dst, "\r\n"...)
}

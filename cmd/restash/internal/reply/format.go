package reply

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cldcde/restash/client/command"
)

// Format renders a reply as redis-cli does on a terminal, with kinds and quotes
// and an index before each element. It ends with a newline.
func Format(r command.Reply) string { return format(r, "") }

func format(r command.Reply, indent string) string {
	switch r.Kind {
	case command.KindNil:
		return "(nil)\n"
	case command.KindInt:
		return "(integer) " + strconv.FormatInt(r.Int, 10) + "\n"
	case command.KindStatus:
		return string(r.Bytes) + "\n"
	case command.KindError:
		return "(error) " + string(r.Bytes) + "\n"
	case command.KindArray:
		return formatArray(r.Array, indent)
	}
	return Quote(string(r.Bytes)) + "\n"
}

func formatArray(elements []command.Reply, indent string) string {
	if len(elements) == 0 {
		return "(empty array)\n"
	}
	width := len(strconv.Itoa(len(elements)))
	nested := indent + strings.Repeat(" ", width+2)
	var out strings.Builder
	for i, e := range elements {
		if i > 0 { // the first stands behind the index of what holds it
			out.WriteString(indent)
		}
		number := strconv.Itoa(i + 1)
		out.WriteString(strings.Repeat(" ", width-len(number)) + number + ") " + format(e, nested))
	}
	return out.String()
}

// Raw renders a reply as redis-cli does when its output is no terminal: bytes
// as they are, elements a line each. An error has an empty line behind it.
func Raw(r command.Reply) string { return raw(r) + "\n" }

func raw(r command.Reply) string {
	switch r.Kind {
	case command.KindNil:
		return ""
	case command.KindInt:
		return strconv.FormatInt(r.Int, 10)
	case command.KindError:
		return string(r.Bytes) + "\n"
	case command.KindArray:
		lines := make([]string, len(r.Array))
		for i, e := range r.Array {
			lines[i] = raw(e)
		}
		return strings.Join(lines, "\n")
	}
	return string(r.Bytes)
}

// JSON turns a reply into what encoding/json writes: null, numbers, strings,
// arrays; {"error": text} for an error, {"base64": text} for bytes that are no
// UTF-8.
func JSON(r command.Reply) any {
	switch r.Kind {
	case command.KindNil:
		return nil
	case command.KindInt:
		return r.Int
	case command.KindError:
		return map[string]string{"error": string(r.Bytes)}
	case command.KindArray:
		list := make([]any, len(r.Array))
		for i, e := range r.Array {
			list[i] = JSON(e)
		}
		return list
	}
	if !utf8.Valid(r.Bytes) {
		return map[string]string{"base64": base64.StdEncoding.EncodeToString(r.Bytes)}
	}
	return string(r.Bytes)
}

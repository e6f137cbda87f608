package lua

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
)

// Script is a script ready to compile: the text without its first line if
// that says how to run it.
type Script struct {
	SHA      string // of the text as it was sent
	Code     string
	NoWrites bool // the flag no-writes: it must not change data
	LockKeys bool // the flag allow-key-locking: it touches only keys it was given
}

// SHA is the name of a script: the SHA-1 of its text.
func SHA(source string) string {
	sum := sha1.Sum([]byte(source))
	return hex.EncodeToString(sum[:])
}

// Parse splits off the line that starts with #!.
func Parse(source string) (Script, error) {
	s := Script{SHA: SHA(source), Code: source}
	if !strings.HasPrefix(source, "#!") {
		return s, nil
	}
	head, code, err := shebang(source)
	if err != nil {
		return s, err
	}
	s.Code = code
	for name, value := range head {
		if name != "flags" {
			return s, fmt.Errorf("ERR Unknown lua shebang option: %s=%s", name, value)
		}
		for flag := range strings.SplitSeq(value, ",") {
			switch flag {
			case "no-writes":
				s.NoWrites = true
			case "allow-key-locking":
				s.LockKeys = true
			case "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys":
			default:
				return s, fmt.Errorf("ERR Unexpected flag in script shebang: %s", flag)
			}
		}
	}
	return s, nil
}

// shebang reads "#!lua name=value ..." and returns the code with an empty
// first line, so that lines keep their numbers.
func shebang(source string) (map[string]string, string, error) {
	line, code, found := strings.Cut(source, "\n")
	if !found {
		return nil, "", fmt.Errorf("ERR Invalid script shebang")
	}
	words := strings.Fields(line)
	if words[0] != "#!lua" {
		return nil, "", fmt.Errorf("ERR Unexpected engine in script shebang: %s", strings.TrimPrefix(words[0], "#!"))
	}
	options := map[string]string{}
	for _, w := range words[1:] {
		name, value, found := strings.Cut(w, "=")
		if !found {
			return nil, "", fmt.Errorf("ERR Unknown lua shebang option: %s", w)
		}
		options[name] = value
	}
	return options, "\n" + code, nil
}

package shell

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

// historySize is how many lines are kept.
const historySize = 1000

// History keeps the lines of earlier prompts in a file. It is what
// golang.org/x/term's History asks for. Not safe for concurrent use.
type History struct {
	path  string // "" keeps nothing after the program
	lines []string
}

// OpenHistory reads the file at path, which need not exist.
func OpenHistory(path string) *History {
	h := &History{path: path}
	content, err := os.Open(path)
	if err != nil {
		return h
	}
	defer content.Close()
	for lines := bufio.NewScanner(content); lines.Scan(); {
		h.keep(lines.Text())
	}
	return h
}

// Add notes a line, unless it begins with a space or may hold a secret.
func (h *History) Add(line string) {
	if line == "" || line[0] == ' ' || secret(line) || len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return
	}
	h.keep(line)
}

func (h *History) keep(line string) {
	h.lines = append(h.lines, line)
	if len(h.lines) > historySize {
		h.lines = h.lines[len(h.lines)-historySize:]
	}
}

// Len is the number of lines.
func (h *History) Len() int { return len(h.lines) }

// At returns a line; 0 is the newest.
func (h *History) At(i int) string { return h.lines[len(h.lines)-1-i] }

// Save writes the lines to the file, which only its owner may read.
func (h *History) Save() error {
	if h.path == "" || len(h.lines) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(h.path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(h.path, []byte(strings.Join(h.lines, "\n")+"\n"), 0o600)
}

// secret says whether a command carries a password by its nature.
func secret(line string) bool {
	words := strings.Fields(strings.ToUpper(line))
	return len(words) > 0 && (words[0] == "AUTH" || words[0] == "ACL" || words[0] == "HELLO")
}

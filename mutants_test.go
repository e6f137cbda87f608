package restash_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A mutant is one guard of the code, broken on purpose, and the test that has to
// notice. The lists are testdata/mutants/*.txt:
//
//	== what is broken
//	in: strategies/internal/engine
//	test: ./strategies ^TestWriteThrough$
//	why: what goes wrong without the guard
//	---
//	text that stands once in the package, in whichever file
//	+++
//	what stands there instead
//
// In the place of "test:" an "equivalent:" argues why no test can tell the mutant
// from the original. "hangs: yes" says that the test notices by its deadline, "ci:
// always" that every run of CI plays it.
type mutant struct {
	name, in        string
	pkg, run        string
	why, equivalent string
	hangs, always   bool
	before, instead string
	where           string // the list and line
}

// testTime is what the named test may take. One that needs it all has not noticed
// anything, unless its mutant says that it hangs.
const testTime = 60 * time.Second

// TestMutantsListIsCurrent fails when a guard was rewritten and its mutant was
// forgotten, or when the named test is gone.
func TestMutantsListIsCurrent(t *testing.T) {
	names := map[string]bool{}
	list := mutants(t)
	for _, m := range list {
		assert.Falsef(t, names[m.name], "%s: %q is there twice", m.where, m.name)
		names[m.name] = true
		_, _, err := m.apply()
		assert.NoErrorf(t, err, "%s: %s", m.where, m.name)
		assert.NotEmptyf(t, m.why+m.equivalent, "%s: %s does not say why", m.where, m.name)
		assert.NotEqualf(t, m.equivalent == "", m.run == "", "%s: %s needs a test or a reason", m.where, m.name)
		if m.run != "" {
			assert.NoErrorf(t, m.testExists(), "%s: %s", m.where, m.name)
		}
	}
	assert.GreaterOrEqual(t, len(list), 60)
}

// TestMutantsAreKilled breaks one guard after the other, in a copy that only the
// compiler sees, and wants the named test to fail. RESTASH_MUTANTS says which:
// "all" of them, "today" for a few of this day and those that are always played,
// else those whose name, package or test contains it.
func TestMutantsAreKilled(t *testing.T) {
	which := os.Getenv("RESTASH_MUTANTS")
	if which == "" {
		t.Skip("run make mutants, or set RESTASH_MUTANTS")
	}
	began, killed := time.Now(), 0
	list := chosen(mutants(t), which, time.Now())
	for _, m := range list {
		start := time.Now()
		how, err := m.live(t)
		t.Logf("%5.1f s  %-60s %s", time.Since(start).Seconds(), m.name, how)
		if assert.NoErrorf(t, err, "%s: %s", m.where, m.name) {
			killed++
		}
	}
	t.Logf("%d of %d mutants killed in %v", killed, len(list), time.Since(began).Round(time.Second))
	assert.NotEmpty(t, list, "no mutant is called so")
}

// perDay is how many mutants CI plays beside those that it always plays.
const perDay = 4

// chosen are the mutants to be played, without the equivalent ones.
func chosen(all []mutant, which string, now time.Time) []mutant {
	all = slices.DeleteFunc(all, func(m mutant) bool { return m.equivalent != "" })
	if which == "today" {
		day := int(now.Unix() / (24 * 60 * 60))
		var list []mutant
		for i, m := range all {
			if m.always || (i-day*perDay%len(all)+len(all))%len(all) < perDay {
				list = append(list, m)
			}
		}
		return list
	}
	return slices.DeleteFunc(all, func(m mutant) bool {
		return which != "all" && !strings.Contains(m.name+" "+m.in+" "+m.pkg+" "+m.run, which)
	})
}

// Every mutant has its day.
func TestMutantsAllHaveTheirDay(t *testing.T) {
	all := mutants(t)
	seen := map[string]bool{}
	for day := range len(all) {
		for _, m := range chosen(slices.Clone(all), "today", time.Unix(int64(day)*24*60*60, 0)) {
			seen[m.name] = true
		}
	}
	assert.Len(t, seen, len(chosen(all, "all", time.Time{})))
}

func mutants(t *testing.T) []mutant {
	t.Helper()
	lists, err := filepath.Glob("testdata/mutants/*.txt")
	require.NoError(t, err)
	var all []mutant
	for _, path := range lists {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		list, err := parseMutants(path, string(raw))
		require.NoError(t, err)
		all = append(all, list...)
	}
	require.NotEmpty(t, all)
	return all
}

// parseMutants reads a list; what stands before its first mutant is for people.
func parseMutants(path, text string) (all []mutant, err error) {
	var into *string
	for i, line := range strings.Split(text, "\n") {
		where := fmt.Sprintf("%s:%d", path, i+1)
		if name, ok := strings.CutPrefix(line, "== "); ok {
			all, into = append(all, mutant{name: name, where: where}), nil
			continue
		}
		if len(all) == 0 {
			continue
		}
		m := &all[len(all)-1]
		switch {
		case line == "---":
			into = &m.before
		case line == "+++":
			into = &m.instead
		case into != nil:
			*into += line + "\n"
		case !m.field(line):
			return nil, fmt.Errorf("%s: what is %q?", where, line)
		}
	}
	for i := range all {
		m := &all[i]
		m.before, m.instead = strings.TrimRight(m.before, "\n"), strings.TrimRight(m.instead, "\n")
	}
	return all, nil
}

func (m *mutant) field(line string) bool {
	key, value, _ := strings.Cut(line, ": ")
	switch key {
	case "in":
		m.in = value
	case "test":
		m.pkg, m.run, _ = strings.Cut(value, " ")
	case "why":
		m.why = value
	case "equivalent":
		m.equivalent = value
	case "hangs":
		m.hangs = true
	case "ci":
		m.always = true
	default:
		return line == ""
	}
	return true
}

// apply returns the file in which the guard stands, and its text with the guard
// broken.
func (m mutant) apply() (path, text string, err error) {
	files, err := filepath.Glob(filepath.Join(m.in, "*.go"))
	if err != nil {
		return "", "", err
	}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", "", err
		}
		if n := strings.Count(string(raw), m.before); n > 0 {
			found += n
			path, text = file, strings.Replace(string(raw), m.before, m.instead, 1)
		}
	}
	switch {
	case m.before == "":
		return "", "", errors.New("no text between --- and +++")
	case found == 0:
		return "", "", fmt.Errorf("text not found in %s; the guard was rewritten, and so must be its mutant:\n%s", m.in, m.before)
	case found > 1:
		return "", "", fmt.Errorf("the text stands %d times in %s, want once; take more of its surroundings:\n%s", found, m.in, m.before)
	}
	return path, text, nil
}

// testExists looks for the functions that the pattern names.
func (m mutant) testExists() error {
	files, err := filepath.Glob(filepath.Join(m.pkg, "*_test.go"))
	if err != nil {
		return err
	}
	var all strings.Builder
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		all.Write(raw)
	}
	function, _, _ := strings.Cut(m.run, "/")
	for name := range strings.SplitSeq(strings.Trim(function, "^()$"), "|") {
		if !strings.Contains(all.String(), "func "+name+"(") {
			return fmt.Errorf("%s has no %s", m.pkg, name)
		}
	}
	return nil
}

// live runs the mutant's test on it. A nil error says that it was killed, how by
// whom.
func (m mutant) live(t *testing.T) (how string, err error) {
	path, text, err := m.apply()
	if err != nil {
		return "text not found", err
	}
	binary, err := m.build(t, path, text)
	if err != nil {
		return "NOT BUILT", err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*testTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.run="+m.run, "-test.failfast", "-test.count=1", "-test.timeout="+testTime.String())
	cmd.Dir = m.pkg
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return m.judge(string(out), err)
}

// build makes the test binary. The file is replaced for the compiler only.
func (m mutant) build(t *testing.T, path, text string) (binary string, err error) {
	dir := t.TempDir()
	original, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	broken := filepath.Join(dir, "broken.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: broken}})
	if err != nil {
		return "", err
	}
	for name, data := range map[string]string{broken: text, filepath.Join(dir, "overlay.json"): string(overlay)} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			return "", err
		}
	}
	binary = filepath.Join(dir, "broken.test")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-ldflags=-w", "-o", binary, "-overlay", filepath.Join(dir, "overlay.json"), m.pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("it does not compile: %w\n%s", err, out)
	}
	return binary, nil
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// judge tells from the end of a test who killed the mutant.
func (m mutant) judge(out string, err error) (string, error) {
	timedOut := strings.Contains(out, "panic: test timed out")
	switch {
	case strings.Contains(out, "no tests to run"):
		return "NO TEST", fmt.Errorf("%s runs nothing in %s", m.run, m.pkg)
	case err == nil:
		return "SURVIVED", fmt.Errorf("%s %s does not notice\n%s", m.pkg, m.run, out)
	case timedOut && m.hangs:
		return "killed by the deadline", nil
	case timedOut || !strings.Contains(out, "FAIL") && !strings.Contains(out, "panic: "):
		return "DID NOT END", fmt.Errorf("%s %s did not end, and the list does not say that it hangs\n%s", m.pkg, m.run, out)
	}
	if names := failed.FindAllStringSubmatch(out, -1); len(names) > 0 {
		return "killed by " + names[len(names)-1][1], nil
	}
	return "killed by a panic", nil
}

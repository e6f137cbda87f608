package client_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client/command"
)

// recorder is a server that answers null and keeps the commands it was sent.
func recorder(t *testing.T) (url string, sent func() [][]string) {
	t.Helper()
	var mu sync.Mutex
	var all [][]string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var words []string
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&words))
		mu.Lock()
		defer mu.Unlock()
		all = append(all, words)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"result":null}`))
	}))
	t.Cleanup(s.Close)
	return s.URL, func() [][]string {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

// The order of a SEARCH command's arguments is written down nowhere: what the
// newest official SDK sends is what surely works.
func TestSearchIsSentAsTheNewestOfficialSDKSendsIt(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"private":true,"type":"module"}`), 0o600))
	npm(t, dir, "install", "@upstash/redis@latest", "--no-audit", "--no-fund", "--ignore-scripts")
	script, err := os.ReadFile("testdata/search.mjs")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "search.mjs"), script, 0o600))
	url, sent := recorder(t)
	out, err := exec.CommandContext(t.Context(), "node", filepath.Join(dir, "search.mjs"), url).CombinedOutput()
	require.NoError(t, err, string(out))

	filter, two, one := map[string]string{"tag": "x"}, 2.0, 1.0
	ours := []command.Cmd{
		command.SearchCreate("i", command.SearchIndex{
			On: "HASH", Prefixes: []string{"a:", "b:"}, Language: "english", SkipInitialScan: true, ExistsOK: true,
			Schema: []command.SearchField{
				{Name: "title", Type: "TEXT", NoTokenize: true, NoStem: true}, {Name: "price", Type: "F64", Fast: true},
				{Name: "at", Type: "DATE", Fast: true}, {Name: "tag", Type: "KEYWORD"},
			},
		}),
		command.SearchCreate("i", command.SearchIndex{Stream: "log", Schema: []command.SearchField{{Name: "tag", Type: "KEYWORD"}}}),
		command.SearchQuery("i", filter, command.SearchArgs{
			Limit: 5, Offset: 2, OrderBy: "price", Order: command.DESC, Highlight: []string{"title"}, Tags: [2]string{"<", ">"}, Select: []string{"title"},
		}),
		command.SearchQuery("i", filter, command.SearchArgs{
			NoContent: true, Combine: "SUM", ScoreMode: "MULTIPLY",
			Score: []command.ScoreField{{Field: "price"}, {Field: "price", Modifier: "LOG1P", Factor: &two, Missing: &one, Mode: "REPLACE"}},
		}),
		command.SearchCount("i", filter),
		command.SearchAggregate("i", filter, map[string]any{"p": map[string]any{"$avg": map[string]any{"field": "price"}}}),
		command.SearchDescribe("i"),
		command.SearchWaitIndexing("i"),
		command.SearchDrop("i"),
	}
	var words [][]string
	for _, cmd := range ours {
		words = append(words, cmd.Args())
	}
	assert.Equal(t, sent(), words)
}

package entry_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/internal/entry"
)

var update = flag.Bool("update", false, "write the golden entries")

var header = entry.Header{Stored: time.UnixMilli(1790000000123), Fresh: time.Hour, StaleWhileRevalidate: 5 * time.Minute, LoadTime: 42 * time.Millisecond}

var marks = []entry.Mark{{ID: "g"}, {ID: "k", Token: "mvk2.1a"}, {ID: "p0"}, {ID: "p1", Token: "mvk3.2b"}, {ID: "tteam%3A7"}, {ID: "tall", Token: "mvk4.3c"}, {ID: "Tall", Token: "mvk5.4d"}}

// golden entries, also read by clients in other languages.
var golden = map[string]struct {
	header entry.Header
	body   string
	gzip   int
}{
	"json":     {header, `{"name":"Ada <ö>"}`, 0},
	"binary":   {header, "\x00\xff\x10", 0},
	"gzip":     {header, strings.Repeat(`{"name":"Ada"},`, 100), 1},
	"negative": {entry.Header{Stored: header.Stored, Fresh: time.Minute, Negative: true}, "", 0},
}

func TestGoldenEntries(t *testing.T) {
	for name, g := range golden {
		t.Run(name, func(t *testing.T) {
			data, err := entry.Append(nil, g.header, marks, []byte(g.body), entry.Gzip, g.gzip)
			require.NoError(t, err)
			path := filepath.Join("..", "..", "testdata", "entry", name+".txt")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, data, 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			if name != "gzip" { // other Go versions may compress otherwise
				assert.Equal(t, string(want), string(data))
			}
			for _, data := range [][]byte{want, data} {
				assert.True(t, utf8.Valid(data))
				assert.False(t, json.Valid(data))
				e, err := entry.Parse(data)
				require.NoError(t, err)
				assert.Equal(t, g.header.Stored.UnixMilli(), e.Stored.UnixMilli())
				e.Stored = g.header.Stored
				assert.Equal(t, g.header, e.Header)
				body, err := e.Body(entry.Compression{})
				require.NoError(t, err)
				assert.Equal(t, g.body, string(body))
			}
		})
	}
}

func TestMarks(t *testing.T) {
	data, err := entry.Append(nil, header, marks, nil, entry.Gzip, 0)
	require.NoError(t, err)
	e, err := entry.Parse(data)
	require.NoError(t, err)
	for _, m := range marks {
		token, _ := e.Token(m.ID)
		assert.Equal(t, m.Token, string(token), m.ID)
	}
	_, named := e.Token("tteam%3A7")
	assert.True(t, named, "absent tags are listed")
	_, named = e.Token("g")
	assert.False(t, named)
	assert.Equal(t, []string{"team%3A7"}, e.MissingTags(func(id string) bool { return id == "tall" }))
}

func TestGzipOnlyWhenItPays(t *testing.T) {
	random := []byte("q8Zr1LxT0vWn5KcYb7Hd")
	data, err := entry.Append(nil, header, nil, random, entry.Gzip, 1)
	require.NoError(t, err)
	assert.True(t, bytes.HasSuffix(data, random))
}

func TestParseAllocatesNothing(t *testing.T) {
	data, err := entry.Append(nil, header, marks, []byte("{}"), entry.Gzip, 0)
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		e, err := entry.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := e.Token("k"); !ok {
			t.Fatal("no token")
		}
	}))
}

func TestMarksThatCannotBeWrittenAreRefused(t *testing.T) {
	for _, token := range []string{"a,b", "a=b", "a b", "a\n{}", "\xff"} {
		_, err := entry.Append(nil, header, []entry.Mark{{ID: "g", Token: token}}, []byte("{}"), entry.Gzip, 0)
		assert.ErrorIs(t, err, entry.ErrFormat, "%q", token)
	}
}

func TestParseRefusesWhatAppendNeverWrites(t *testing.T) {
	for name, data := range map[string]string{
		"mark without an id":        "R2 1 1 1 1 1 - - =abc\n{}",
		"mark without an id, later": "R2 1 1 1 1 1 - - g=a,=abc\n{}",
		"mark without text":         "R2 1 1 1 1 1 - - g=a,,k=b\n{}",
		"id that is no letter":      "R2 1 1 1 1 1 - - 7=abc\n{}",
		"token with a separator":    "R2 1 1 1 1 1 - - g=a=b\n{}",
		"duration out of range":     "R2 0 0 a00000000 0 0  - \n",
		"time out of range":         "R2 a00000000 1 1 1 1 - - \n{}",
		"negative number":           "R2 1 -1 1 1 1 - - \n{}",
		"control character":         "R2 1 1 1 1 1 - - g=a\tb\n{}",
		"unknown flag":              "R2 1 1 1 1 1 q - g=a\n{}",
	} {
		e, err := entry.Parse([]byte(data))
		assert.ErrorIs(t, err, entry.ErrFormat, name)
		assert.Zero(t, e, name)
	}
}

func TestAppendRefusesWhatParseWould(t *testing.T) {
	for name, h := range map[string]entry.Header{
		"before 1970":       {Stored: time.UnixMilli(-1), Fresh: time.Second},
		"too late":          {Stored: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"negative duration": {Stored: header.Stored, Fresh: -time.Second},
		"long duration":     {Stored: header.Stored, LoadTime: 200 * 365 * 24 * time.Hour},
	} {
		_, err := entry.Append(nil, h, nil, nil, entry.Gzip, 0)
		assert.ErrorIs(t, err, entry.ErrFormat, name)
	}
	_, err := entry.Append(nil, header, nil, make([]byte, entry.MaxBody+1), entry.Gzip, 1)
	assert.ErrorIs(t, err, entry.ErrFormat, "what cannot be unpacked is not stored")
}

func FuzzParse(f *testing.F) {
	for _, g := range golden {
		data, err := entry.Append(nil, g.header, marks, []byte(g.body), entry.Gzip, g.gzip)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte("R2 1 1 1 1 1 b gzip t=\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := entry.Parse(data)
		if err != nil {
			return
		}
		e.Deadline()
		e.Token("k")
		e.MissingTags(func(string) bool { return false })
		body, err := e.Body(entry.Compression{})
		if err != nil {
			assert.ErrorIs(t, err, entry.ErrFormat)
			return
		}
		again, err := entry.Append(nil, e.Header, nil, body, entry.Gzip, 0)
		require.NoError(t, err)
		back, err := entry.Parse(again)
		require.NoError(t, err)
		b, err := back.Body(entry.Compression{})
		require.NoError(t, err)
		if !e.Negative {
			assert.Equal(t, string(body), string(b))
		}
	})
}

func FuzzAppend(f *testing.F) {
	f.Add([]byte("{}"), "team%3A7", "mvk.1", 0)
	f.Add([]byte("\xff\x00"), "a", "x", 1)
	f.Add([]byte("{}"), "a,b=c", "x\n{}", 0)
	f.Fuzz(func(t *testing.T, body []byte, tag, token string, gzip int) {
		data, err := entry.Append(nil, header, []entry.Mark{{ID: "t" + tag, Token: token}}, body, entry.Gzip, gzip)
		if err != nil {
			require.ErrorIs(t, err, entry.ErrFormat)
			return
		}
		if tag == "" {
			return
		}
		assert.True(t, utf8.Valid(data))
		e, err := entry.Parse(data)
		require.NoError(t, err)
		got, named := e.Token("t" + tag)
		assert.True(t, named)
		assert.Equal(t, token, string(got))
		b, err := e.Body(entry.Compression{})
		require.NoError(t, err)
		assert.True(t, bytes.Equal(body, b))
	})
}

// A body that claims to be large, or is, makes no more room than an entry has.
func TestGzipBombs(t *testing.T) {
	bomb, err := entry.Gzip.Compress(nil, make([]byte, entry.MaxBody+1))
	require.NoError(t, err)
	_, err = entry.Gzip.Decompress(nil, bomb, entry.MaxBody)
	assert.Error(t, err)
	liar, err := entry.Gzip.Compress(nil, []byte("small"))
	require.NoError(t, err)
	copy(liar[len(liar)-4:], "\xff\xff\xff\xff")
	got, err := entry.Gzip.Decompress(nil, liar, entry.MaxBody)
	assert.Error(t, err)
	assert.Less(t, cap(got), 64<<10)
}

func BenchmarkGzip(b *testing.B) {
	for _, kib := range []int{1, 10, 100, 1024} {
		body := []byte(document(kib << 10))
		packed, err := entry.Gzip.Compress(nil, body)
		require.NoError(b, err)
		b.Run(fmt.Sprintf("compress/%dKiB", kib), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = entry.Gzip.Compress(nil, body)
			}
			b.ReportMetric(float64(len(body))/float64(len(packed)), "ratio")
		})
		b.Run(fmt.Sprintf("decompress/%dKiB", kib), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = entry.Gzip.Decompress(nil, packed, entry.MaxBody)
			}
		})
	}
}

// document is JSON as a list of a catalogue is.
func document(size int) string {
	words := strings.Fields("language theme dark server docker python lint format git remote snippets icon preview debug cloud query")
	r := rand.New(rand.NewPCG(1, 2))
	word := func() string { return words[r.IntN(len(words))] }
	var b strings.Builder
	b.WriteByte('[')
	for b.Len() < size {
		fmt.Fprintf(&b, `{"id":%d,"name":"%s-%s","description":"%s for %s and %s","downloads":%d,"rating":%.1f,"tags":["%s","%s"]},`,
			r.IntN(1e6), word(), word(), word(), word(), word(), r.IntN(1e8), float64(r.IntN(50))/10, word(), word())
	}
	return b.String()[:size-1] + "]"
}

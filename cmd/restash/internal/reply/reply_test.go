package reply_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/cmd/restash/internal/reply"
)

func bulk(s string) command.Reply {
	return command.Reply{Kind: command.KindBulk, Bytes: []byte(s)}
}

func integer(n int64) command.Reply { return command.Reply{Kind: command.KindInt, Int: n} }

func array(elements ...command.Reply) command.Reply {
	return command.Reply{Kind: command.KindArray, Array: elements}
}

func ExampleFormat() {
	page := array(bulk("0"), array(bulk("a"), integer(1), command.Reply{}, array()))
	fmt.Print(reply.Format(page))
	// Output:
	// 1) "0"
	// 2) 1) "a"
	//    2) (integer) 1
	//    3) (nil)
	//    4) (empty array)
}

func ExampleSplit() {
	words, err := reply.Split(`SET greeting "hello\n\x41" 'it\'s'`)
	fmt.Printf("%q %v\n", words, err)
	// Output: ["SET" "greeting" "hello\nA" "it's"] <nil>
}

func TestFormatIndexesAlign(t *testing.T) {
	var ten []command.Reply
	for i := range 10 {
		ten = append(ten, integer(int64(i)))
	}
	got := reply.Format(array(array(ten...), bulk("z")))
	assert.Equal(t, "1)  1) (integer) 0\n", got[:strings.Index(got, "\n")+1])
	assert.Contains(t, got, "\n   10) (integer) 9\n2) \"z\"\n")
}

func TestRaw(t *testing.T) {
	assert.Equal(t, "a\n\n2\n", reply.Raw(array(bulk("a"), command.Reply{}, integer(2))))
	assert.Equal(t, "ERR x\n\n", reply.Raw(command.Reply{Kind: command.KindError, Bytes: []byte("ERR x")}))
}

func TestJSON(t *testing.T) {
	text, err := json.Marshal(reply.JSON(array(bulk("a<b"), command.Reply{}, integer(1<<62), bulk("\xff"), array())))
	require.NoError(t, err)
	assert.JSONEq(t, `["a<b",null,4611686018427387904,{"base64":"/w=="},[]]`, string(text))
}

func TestSplitRefusesOpenQuotes(t *testing.T) {
	for _, line := range []string{`"a`, `'a`, `"a"b`, `'a'b`, `"a\"`} {
		_, err := reply.Split(line)
		assert.ErrorIs(t, err, reply.ErrQuotes, line)
	}
	words, err := reply.Split("  ")
	assert.NoError(t, err)
	assert.Empty(t, words)
}

func FuzzSplit(f *testing.F) {
	f.Add("hello", "\x00\xff\"'\\")
	f.Fuzz(func(t *testing.T, a, b string) {
		_, _ = reply.Split(a) // must not panic
		words, err := reply.Split(reply.Quote(a) + "  " + reply.Quote(b))
		require.NoError(t, err)
		assert.Equal(t, []string{a, b}, words)
	})
}

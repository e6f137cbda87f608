package json_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/cldcde/restash/internal/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMarshalLeavesHTMLAlone(t *testing.T) {
	b, err := json.Marshal(map[string]string{"a": "<b>&</b>"})
	require.NoError(t, err)
	assert.Equal(t, `{"a":"<b>&</b>"}`, string(b))
}

func TestAppendKeepsWhatWasThere(t *testing.T) {
	b, err := json.Append([]byte("x="), 1)
	require.NoError(t, err)
	assert.Equal(t, "x=1", string(b))

	b, err = json.Append([]byte("x="), func() {})
	require.Error(t, err)
	assert.Equal(t, "x=", string(b))
}

func TestDecodedStringsDoNotAliasTheInput(t *testing.T) {
	data := []byte(`{"Name":"Ada"}`)
	var v struct{ Name string }
	require.NoError(t, json.Unmarshal(data, &v))
	for i := range data {
		data[i] = 'x'
	}
	assert.Equal(t, "Ada", v.Name)
}

func TestErrorsNeverQuoteTheData(t *testing.T) {
	var v struct{ Age int8 }
	for _, in := range []string{`{"Age":4711}`, `{"Age":"s3cret"}`, `{"Age":s3cret}`, `{"Age`, ``} {
		err := json.Unmarshal([]byte(in), &v)
		require.Error(t, err, in)
		assert.NotContains(t, err.Error(), "4711")
		assert.NotContains(t, err.Error(), "s3cret")
		assert.Contains(t, err.Error(), "json: decode struct")
		var e *json.Error
		require.ErrorAs(t, err, &e)
		assert.NotNil(t, e.Unwrap())
	}
	_, err := json.Marshal(make(chan int))
	assert.EqualError(t, err, "json: encode chan int: unsupported type")
	_, err = json.Marshal(nil)
	assert.NoError(t, err)
}

func TestValid(t *testing.T) {
	assert.True(t, json.Valid([]byte(`[1]`)))
	assert.False(t, json.Valid([]byte(`[1`)))
}

func ExampleMarshal() {
	b, err := json.Marshal(struct {
		Name string `json:"name"`
	}{"R&D"})
	fmt.Println(string(b), err)
	// Output: {"name":"R&D"} <nil>
}

// The plain form is the same bytes, and its errors say as little of the data.
func TestPlain(t *testing.T) {
	type page struct {
		Title string
		N     **int
	}
	n := new(int)
	b, err := json.AppendPlain([]byte("x"), page{Title: "<&>", N: &n})
	require.NoError(t, err)
	assert.Equal(t, `x{"Title":"<&>","N":0}`, string(b))
	var back page
	require.NoError(t, json.UnmarshalPlain(b[1:], &back))
	assert.Equal(t, page{Title: "<&>", N: &n}, back)
	for data, says := range map[string]string{
		`{"Title":`:        "syntax error at offset 9",
		`{"Title":7}`:      "field Title does not take this kind of value",
		`"a secret value"`: "this kind of value does not fit",
	} {
		assert.ErrorContains(t, json.UnmarshalPlain([]byte(data), &back), says)
	}
	dst, err := json.AppendPlain([]byte("x"), math.NaN())
	assert.ErrorContains(t, err, "unsupported value")
	assert.Equal(t, "x", string(dst))
}

package pipeline_test

import (
	"reflect"
	"testing"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/pipeline"
	"github.com/stretchr/testify/assert"
)

// TestEveryCommandIsAMethod holds both facades to the table: a command
// without a free reply type is a method of each.
func TestEveryCommandIsAMethod(t *testing.T) {
	facades := []reflect.Type{
		reflect.TypeFor[*client.Client](), reflect.TypeFor[*pipeline.Pipeline](),
	}
	n := 0
	for _, info := range command.Table() {
		if info.Free || info.Stream {
			continue
		}
		n++
		for _, f := range facades {
			_, ok := f.MethodByName(info.Func)
			assert.True(t, ok, "%v has no %s", f, info.Func)
		}
	}
	assert.Greater(t, n, 250)
	for _, name := range []string{"Subscribe", "PSubscribe", "Monitor"} {
		_, ok := facades[0].MethodByName(name)
		assert.True(t, ok, name)
	}
}

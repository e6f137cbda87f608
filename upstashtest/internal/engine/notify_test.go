package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeyspaceNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		sub, err := e.PSubscribe("__key*")
		require.NoError(t, err)
		defer func() { require.NoError(t, sub.Close()) }()
		events := func() []string {
			run(t, e, "PUBLISH", "__key", "end")
			got, err := sub.Next(t.Context())
			require.NoError(t, err)
			return got[:len(got)-1]
		}
		run(t, e, "SET", "k", "v")
		assert.Equal(t, []string{"psubscribe,__key*,1"}, events(), "off by default")

		assert.Equal(t, "OK", run(t, e, "CONFIG", "SET", "notify-keyspace-events", "KEA"))
		run(t, e, "SET", "k", "v", "EX", "10")
		run(t, e, "DEL", "none")
		run(t, e, "EVAL", "return redis.call('HSET','h','f','v')", "0")
		run(t, e, "RENAME", "h", "h2")
		assert.Equal(t, []string{
			"pmessage,__key*,__keyspace@0__:k,set", "pmessage,__key*,__keyevent@0__:set,k",
			"pmessage,__key*,__keyspace@0__:h,hset", "pmessage,__key*,__keyevent@0__:hset,h",
			"pmessage,__key*,__keyspace@0__:h,rename_from", "pmessage,__key*,__keyevent@0__:rename_from,h",
			"pmessage,__key*,__keyspace@0__:h2,rename_to", "pmessage,__key*,__keyevent@0__:rename_to,h2",
		}, events())

		run(t, e, "CONFIG", "SET", "notify-keyspace-events", "Ex")
		time.Sleep(10 * time.Second)
		run(t, e, "SET", "other", "v")
		assert.Equal(t, []string{"pmessage,__key*,__keyevent@0__:expired,k"}, events())
		assert.Equal(t, `["notify-keyspace-events" "Ex"]`, run(t, e, "CONFIG", "GET", "notify*"))
		assert.Contains(t, run(t, e, "CONFIG", "SET", "notify-keyspace-events", "Q"), "ERR")
	})
}

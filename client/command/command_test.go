package command_test

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type (
	colour string
	level  int8
	on     bool
	blob   []byte
	user   struct {
		Name string `json:"name"`
	}
)

func TestText(t *testing.T) {
	name := "Ada"
	for want, v := range map[string]any{
		"plain":                    "plain",
		"\xff\x00":                 []byte{0xff, 0},
		"-7":                       -7,
		"9223372036854775807":      int64(math.MaxInt64),
		"18446744073709551615":     uint64(math.MaxUint64),
		"1":                        true,
		"0":                        on(false),
		"1000000":                  1e6,
		"0.1":                      float32(0.1),
		"1e+21":                    1e21,
		"inf":                      math.Inf(1),
		"-inf":                     math.Inf(-1),
		"nan":                      math.NaN(),
		"red":                      colour("red"),
		"-3":                       level(-3),
		"blob":                     blob("blob"),
		"Ada":                      &name,
		`{"name":"R&D <x>"}`:       user{"R&D <x>"},
		`{"name":"p"}`:             &user{"p"},
		`[1,2]`:                    []int{1, 2},
		`{"a":1}`:                  map[string]int{"a": 1},
		"10.0.0.1":                 netip.MustParseAddr("10.0.0.1"),
		"2024-02-29T01:02:03.004Z": time.Date(2024, 2, 29, 1, 2, 3, 4e6, time.UTC),
	} {
		got, err := command.Text(v)
		require.NoError(t, err, want)
		assert.Equal(t, want, got)
	}
}

func TestTextRefusesWhatHasNoMeaning(t *testing.T) {
	for _, v := range []any{
		nil, (*string)(nil), []byte(nil), (*user)(nil), map[string]int(nil), []int(nil), (*time.Time)(nil),
		time.Second, make(chan int),
	} {
		_, err := command.Text(v)
		assert.Error(t, err, "%T", v)
	}
	assert.ErrorContains(t, command.Set("k", nil).Err(), "command: SET: nil is not a value")
	assert.ErrorContains(t, command.SAdd("k", "a", nil).Err(), "nil is not a value")
}

// TestLifetimesAreRoundedUp: what is left until a time is hardly ever whole.
func TestLifetimesAreRoundedUp(t *testing.T) {
	const d = 1500*time.Millisecond + time.Nanosecond
	values := map[string]any{"k": "v"}
	for want, cmd := range map[string]command.Cmd{
		"[SET k v EX 2]":                  command.Set("k", "v", command.EX(d)),
		"[SET k v PX 1501]":               command.Set("k", "v", command.PX(d)),
		"[SET k v PX 1]":                  command.Set("k", "v", command.PX(time.Nanosecond)),
		"[MSETEX 1 k v PX 1501]":          command.MSetEX(values, command.PX(d)),
		"[SETEX k 2 v]":                   command.SetEX("k", d, "v"),
		"[PSETEX k 1501 v]":               command.PSetEX("k", d, "v"),
		"[GETEX k EX 2]":                  command.GetEx("k", command.EX(d)),
		"[EXPIRE k 2]":                    command.Expire("k", d),
		"[EXPIRE k 0]":                    command.Expire("k", -time.Millisecond),
		"[PEXPIRE k 1501]":                command.PExpire("k", d),
		"[PEXPIRE k -1]":                  command.PExpire("k", -time.Millisecond),
		"[HEXPIRE k 2 FIELDS 1 f]":        command.HExpire("k", d, []string{"f"}),
		"[HPEXPIRE k 1501 FIELDS 1 f]":    command.HPExpire("k", d, []string{"f"}),
		"[HSETEX k PX 1501 FIELDS 1 k v]": command.HSetEx("k", values, command.PX(d)),
		"[RESTORE k 1501 dump]":           command.Restore("k", "dump", command.RestoreArgs{TTL: d}),
	} {
		require.NoError(t, cmd.Err(), want)
		assert.Equal(t, want, fmt.Sprint(cmd.Args()))
	}
}

func TestOptionsThatExcludeEachOther(t *testing.T) {
	for problem, cmd := range map[string]command.Cmd{
		"SET: EX and PX exclude each other":        command.Set("k", 1, command.EX(time.Second), command.PX(time.Second)),
		"SET: EX and KEEPTTL exclude each other":   command.Set("k", 1, command.EX(time.Second), command.KeepTTL()),
		"SET: NX and XX exclude each other":        command.Set("k", 1, command.NX(), command.XX()),
		"SET: NX and IFEQ exclude each other":      command.Set("k", 1, command.NX(), command.IFEQ("a")),
		"SET: PX wants a positive lifetime":        command.Set("k", 1, command.PX(0)),
		"SET: EXAT wants a time after 1970":        command.Set("k", 1, command.EXAT(time.Time{})),
		"SET: nil option":                          command.Set("k", 1, nil),
		"EXPIRE: NX and GT exclude each other":     command.Expire("k", time.Second, command.NX(), command.GT()),
		"EXPIRE: GT and LT exclude each other":     command.Expire("k", time.Second, command.GT(), command.LT()),
		"ZADD: NX and LT exclude each other":       command.ZAdd("k", []command.Z{{}}, command.LT(), command.NX()),
		"ZADD: CH has no meaning beside INCR":      command.ZAddIncr("k", "m", 1, command.CH()),
		"ZADD: no members":                         command.ZAdd("k", nil),
		"MGET: no keys":                            command.MGet(),
		"MSETEX: no values":                        command.MSetEX(nil),
		"MSETEX: NX and XX exclude each other":     command.MSetEX(map[string]any{"k": 1}, command.NX(), command.XX()),
		"SDIFFCARD: no keys":                       command.SDiffCard(0),
		"SUNIONCARD: the limit is negative":        command.SUnionCard(-1, "a"),
		"MSET: no values":                          command.MSet(nil),
		"BITOP: NOT takes one key":                 command.BitOp(command.NOT, "d", "a", "b"),
		"BITOP: DIFF takes two keys or more":       command.BitOp(command.DIFF, "d", "a"),
		"BITFIELD_RO: an operation that writes":    command.BitFieldRO("k", command.BitSet("u8", "0", 1)),
		"LMOVE: unknown side":                      command.LMove("a", "b", "UP", command.LEFT),
		"ZRANGE: Offset and Count need":            command.ZRangeArg("k", command.ZRangeArgs{Start: "0", Stop: "1", Count: 1}),
		"ZRANGE: an end of the range is missing":   command.ZRangeArg("k", command.ZRangeArgs{}),
		"ZUNION: as many weights as keys":          command.ZUnion(command.ZKeys{Keys: []string{"a"}, Weights: []float64{1, 2}}),
		"GEOSEARCH: a query takes From or":         command.GeoSearch("k", command.GeoQuery{From: &command.Point{}, FromMember: "m"}),
		"GEOSEARCH: an area is a circle or a box":  command.GeoSearch("k", command.GeoQuery{Radius: 1, Width: 1}),
		"GEODIST: unknown unit":                    command.GeoDist("k", "a", "b", "ly"),
		"XADD: a Trim needs MaxLen or MinID":       command.XAdd("k", map[string]any{"f": 1}, command.Trim{}),
		"XTRIM: the Limit of a Trim":               command.XTrim("k", command.Trim{MaxLen: 1, Exact: true, Limit: 1}),
		"XREAD: no streams":                        command.XRead(0),
		"RESTORE: TTL and At exclude each other":   command.Restore("k", "d", command.RestoreArgs{TTL: time.Second, At: time.Now()}),
		"SCAN: COUNT wants at least 1":             command.Scan("0", command.COUNT(0)),
		"SCAN: MATCH and MATCH exclude each other": command.Scan("0", command.MATCH("a"), command.MATCH("b")),
		"SEARCH.CREATE: an index needs On":         command.SearchCreate("i", command.SearchIndex{}),
		"SEARCH.CREATE: an index needs a Schema":   command.SearchCreate("i", command.SearchIndex{Stream: "s"}),
		"SEARCH.QUERY: OrderBy excludes Score":     command.SearchQuery("i", "{}", command.SearchArgs{OrderBy: "a", Score: []command.ScoreField{{}}}),
		"SEARCH.COUNT: the filter is not JSON":     command.SearchCount("i", "{"),
		"FLUSHALL: unknown flush mode":             command.FlushAll("LATER"),
		"command: no name":                         command.Raw(""),
		"more than two words":                      command.Raw("A B C"),
	} {
		assert.ErrorContains(t, cmd.Err(), problem)
	}
	assert.NoError(t, command.Expire("k", time.Second, command.XX(), command.GT()).Err())
	var zero command.Command[string]
	assert.Error(t, zero.Err())
	assert.Empty(t, zero.Name())
}

func TestKindsOfCommands(t *testing.T) {
	get, incr, del := command.Get("k"), command.Incr("k"), command.Del("k")
	assert.True(t, get.ReadOnly() && get.Repeatable())
	assert.False(t, incr.ReadOnly() || incr.Repeatable())
	assert.True(t, !del.ReadOnly() && del.Repeatable())
	assert.False(t, del.Once().Repeatable())
	assert.True(t, incr.Repeat().Repeatable() && !incr.Repeat().ReadOnly())
	assert.True(t, incr.Read().ReadOnly() && incr.Read().Repeatable())

	assert.True(t, command.Set("k", 1, command.EX(time.Second)).Repeatable())
	for _, o := range []command.SetOption{
		command.NX(), command.XX(), command.IFEQ(1), command.IFNE(1), command.IFDEQ("d"), command.IFDNE("d"), command.KeepTTL(),
	} {
		assert.False(t, command.Set("k", 1, o).Repeatable())
	}
	assert.False(t, command.SetGet("k", 1).Repeatable())
	assert.False(t, command.Raw("GET", "k").Repeatable())
	assert.False(t, command.ZAdd("k", []command.Z{{}}, command.GT()).Repeatable())
	assert.False(t, command.Expire("k", time.Second, command.GT()).Repeatable())
}

func TestNames(t *testing.T) {
	assert.Equal(t, "XINFO STREAM", command.XInfoStream("k").Name())
	assert.Equal(t, []string{"XINFO", "STREAM", "k"}, command.XInfoStream("k").Args())
	raw := command.Raw("module.cmd sub", 1, "x")
	assert.Equal(t, "MODULE.CMD SUB", raw.Name())
	assert.Equal(t, []string{"module.cmd", "sub", "1", "x"}, raw.Args())
}

func TestAnOptionDoesNotLeakIntoAnotherCommand(t *testing.T) {
	base := command.New(func(command.Reply) (int, error) { return 0, nil }, "A", "b")
	assert.Equal(t, []string{"A", "b"}, base.Args())
	assert.Equal(t, []string{"SET", "k", "v", "NX"}, command.Set("k", "v", command.NX()).Args())
	assert.Equal(t, []string{"SET", "k", "v"}, command.Set("k", "v").Args())
}

func TestDecodersRefuseOtherShapes(t *testing.T) {
	array := command.Reply{Kind: command.KindArray, Array: []command.Reply{{Kind: command.KindInt}}}
	text := command.Reply{Kind: command.KindBulk, Bytes: []byte("secret")}
	check := func(err error) {
		t.Helper()
		require.ErrorIs(t, err, command.ErrReply)
		assert.NotContains(t, err.Error(), "secret")
	}
	_, err := command.Get("k").Decode(array)
	check(err)
	_, err = command.Incr("k").Decode(text)
	check(err)
	_, err = command.ZScore("k", "m").Decode(text)
	check(err)
	_, err = command.HGetAll("k").Decode(array)
	check(err)
	_, err = command.MGet("k").Decode(text)
	check(err)
	_, err = command.Time().Decode(array)
	check(err)
	_, err = command.XRange("k", "-", "+", 0).Decode(array)
	check(err)
	_, err = command.GeoPos("k", "m").Decode(array)
	check(err)
	_, err = command.Scan("0").Decode(text)
	check(err)
	_, err = command.XInfoStream("k").Decode(text)
	check(err)
}

func TestErrorReplies(t *testing.T) {
	r := command.Reply{Kind: command.KindError, Bytes: []byte("WRONGTYPE Operation")}
	_, err := command.Get("k").Decode(r)
	var s command.ServerError
	require.ErrorAs(t, err, &s)
	assert.Equal(t, "WRONGTYPE", s.Code())
	nested := command.Reply{Kind: command.KindArray, Array: []command.Reply{r}}
	_, err = command.LRange("k", 0, -1).Decode(nested)
	require.ErrorAs(t, err, &s)

	assert.Equal(t, "ERR", command.ServerError("ERR x").Code())
	assert.Equal(t, "E2_X", command.ServerError("E2_X").Code())
	assert.Empty(t, command.ServerError("Unauthorized").Code())
	assert.Empty(t, command.ServerError("").Code())
	assert.Equal(t, "x", command.ServerError("x").Error())
}

func TestAsReversesText(t *testing.T) {
	read := func(v any) command.Reply {
		text, err := command.Text(v)
		require.NoError(t, err)
		return command.Reply{Kind: command.KindBulk, Bytes: []byte(text)}
	}
	equal(t, "x", read("x"))
	equal(t, []byte("\xff"), read([]byte("\xff")))
	equal(t, int64(-5), read(-5))
	equal(t, 7, read(7))
	equal(t, uint64(math.MaxUint64), read(uint64(math.MaxUint64)))
	equal(t, 0.25, read(0.25))
	equal(t, math.Inf(-1), read(math.Inf(-1)))
	equal(t, float32(0.5), read(float32(0.5)))
	equal(t, true, read(true))
	equal(t, on(true), read(on(true)))
	equal(t, colour("red"), read(colour("red")))
	equal(t, level(-3), read(level(-3)))
	equal(t, blob("\xff"), read(blob("\xff")))
	equal(t, user{"Ada"}, read(user{"Ada"}))
	equal(t, []string{"a"}, read([]string{"a"}))
	equal(t, time.Date(2024, 2, 29, 0, 0, 0, 1, time.UTC), read(time.Date(2024, 2, 29, 0, 0, 0, 1, time.UTC)))
	equal(t, netip.MustParseAddr("::1"), read(netip.MustParseAddr("::1")))

	_, err := command.As[level](command.Get("k")).Decode(read(1000))
	assert.Error(t, err, "does not fit")
	_, err = command.As[int](command.Get("k")).Decode(command.Reply{})
	assert.ErrorIs(t, err, command.ErrNil)
	_, err = command.As[user](command.Get("k")).Decode(read("no json"))
	assert.Error(t, err)
}

func equal[T any](t *testing.T, want T, r command.Reply) {
	t.Helper()
	got, err := command.As[T](command.Get("k")).Decode(r)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestDecodedValuesDoNotAliasTheAnswer(t *testing.T) {
	body := []byte("value")
	r := command.Reply{Kind: command.KindBulk, Bytes: body}
	pair := command.Reply{Kind: command.KindArray, Array: []command.Reply{r, r}}
	text, err := command.Get("k").Decode(r)
	require.NoError(t, err)
	fields, err := command.HGetAll("k").Decode(pair)
	require.NoError(t, err)
	blob, err := command.As[[]byte](command.Get("k")).Decode(r)
	require.NoError(t, err)
	copy(body, "XXXXX")
	assert.Equal(t, "value", text)
	assert.Equal(t, map[string]string{"value": "value"}, fields)
	assert.Equal(t, []byte("value"), blob)
}

func TestScripts(t *testing.T) {
	s := command.NewScript("return 1")
	assert.Equal(t, "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", s.SHA())
	cmd := command.RunScript[int](s, []string{"k"}, 5)
	assert.Equal(t, []string{"EVALSHA", s.SHA(), "1", "k", "5"}, cmd.Args())
	full, ok := cmd.Fallback()
	require.True(t, ok)
	assert.Equal(t, []string{"EVAL", "return 1", "1", "k", "5"}, full.Args())
	_, ok = command.Get("k").Fallback()
	assert.False(t, ok)
	assert.False(t, cmd.Repeatable())

	ro := command.RunScript[int](s.ReadOnly(), nil)
	assert.Equal(t, "EVALSHA_RO", ro.Name())
	assert.True(t, ro.ReadOnly())
	full, _ = ro.Fallback()
	assert.Equal(t, []string{"EVAL_RO", "return 1", "0"}, full.Args())

	assert.Equal(t, "#!lua flags=allow-key-locking\nreturn 1", s.KeyLocked().Source())
	assert.Equal(t, "#!lua flags=no-writes,allow-key-locking\nreturn 1", s.ReadOnly().KeyLocked().Source())
	assert.Equal(t, "#!lua flags=allow-key-locking\nreturn 2", command.NewScript("#!lua\nreturn 2").KeyLocked().Source())
}

func TestKeyPositions(t *testing.T) {
	for _, tt := range []struct {
		cmd  command.Cmd
		want []string
	}{
		{command.Get("a"), []string{"a"}},
		{command.Ping(), nil},
		{command.MGet("a", "b"), []string{"a", "b"}},
		{command.MSet(map[string]any{"a": 1, "b": 2}), []string{"a", "b"}},
		{command.SInterCard(3, "a", "b"), []string{"a", "b"}},
		{command.Eval[int]("return 1", []string{"a", "b"}, "c"), []string{"a", "b"}},
		{command.XRead(1, command.StreamFrom{Key: "a", After: "0"}, command.StreamFrom{Key: "b", After: "0"}), []string{"a", "b"}},
		{command.XGroupDestroy("a", "g"), []string{"a"}},
		{command.JSONMGet[int]("$", "a", "b"), []string{"a", "b"}},
		{command.JSONMSet(command.JSONEntry{Key: "a"}, command.JSONEntry{Key: "b"}), []string{"a", "b"}},
		{command.BitOp(command.AND, "a", "b", "c"), []string{"a", "b", "c"}},
		{command.Copy("a", "b"), []string{"a", "b"}},
		{command.ScriptLoad("x"), nil},
		{command.Raw("EVAL", "s", "nonsense"), nil},
	} {
		var got []string
		for i := range command.KeyPositions(tt.cmd.Name(), tt.cmd.Args()) {
			got = append(got, tt.cmd.Args()[i])
		}
		assert.Equal(t, tt.want, got, tt.cmd.Name())
	}
}

func TestCustomCommand(t *testing.T) {
	half := command.New(func(r command.Reply) (int64, error) { return r.Int / 2, nil }, "half", "k").Read()
	v, err := half.Decode(command.Reply{Kind: command.KindInt, Int: 8})
	require.NoError(t, err)
	assert.Equal(t, int64(4), v)
	_, err = command.New[int](nil, "X").Decode(command.Reply{})
	assert.True(t, errors.Is(err, command.ErrReply))
	assert.Equal(t, "kind(9)", command.Kind(9).String())
	assert.Equal(t, strconv.Quote("m")+":1.5", command.Z{Member: "m", Score: 1.5}.String())
}

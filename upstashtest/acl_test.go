package upstashtest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest"
)

// A user with a password of ACL GENTOKEN, a token of ACL RESTTOKEN, and what
// they may do over REST.
func TestACL(t *testing.T) {
	s := upstashtest.Run(t)
	engine := func(args ...string) string {
		r, err := s.Do(args...)
		require.NoError(t, err, args)
		return string(r.Bytes)
	}
	_, err := s.Do("ACL", "SETUSER", "app", ">guess")
	require.ErrorContains(t, err, "ACL GENTOKEN")
	password := engine("ACL", "GENTOKEN", "app")
	_, err = s.Do("ACL", "RESTTOKEN", "app", password)
	require.ErrorContains(t, err, `ERR Wrong password or user "app" does not exist`)
	engine("ACL", "SETUSER", "app", "on", ">"+password, "~app:*", "%R~shared:*", "&news", "+@all", "-@dangerous", "-del", "+xgroup|create")
	_, err = s.Do("ACL", "RESTTOKEN", "app", "wrong")
	require.ErrorContains(t, err, "Wrong password")
	token := engine("ACL", "RESTTOKEN", "app", password)

	asApp := func(body string) answer {
		return send(t, s, request{path: "/", body: body, noToken: true, header: map[string]string{"Authorization": "Bearer " + token}})
	}
	for body, want := range map[string]string{
		`["SET","app:1","v"]`:                            `{"result":"OK"}`,
		`["GET","shared:1"]`:                             `{"result":null}`,
		`["ACL","WHOAMI"]`:                               `{"result":"app"}`,
		`["PUBLISH","news","x"]`:                         `{"result":0}`,
		`["SET","shared:1","v"]`:                         "access one of the keys",
		`["GET","other"]`:                                "access one of the keys",
		`["MGET","app:1","other"]`:                       "access one of the keys",
		`["EVAL","return 1",1,"other"]`:                  "access one of the keys",
		`["PUBLISH","secret","x"]`:                       "access one of the channels",
		`["DEL","app:1"]`:                                "run the 'del' command",
		`["KEYS","*"]`:                                   "run the 'keys' command",
		`["XGROUP","CREATE","app:s","g","$","MKSTREAM"]`: `{"result":"OK"}`,
	} {
		got := asApp(body)
		assert.Contains(t, got.body, want, body)
		if !strings.HasPrefix(want, "{") {
			assert.Contains(t, got.body, "NOPERM", body)
			assert.Equal(t, 400, got.status, body)
		}
	}
	assert.EqualValues(t, 5, s.BillOf("app").Commands)
	assert.Contains(t, do(t, s, "ACL", "WHOAMI").body, `"default"`)
	users, err := s.Do("ACL", "USERS")
	require.NoError(t, err)
	assert.Len(t, users.Array, 3)
	_, err = s.Do("ACL", "SETUSER", "app", "off", "bogus")
	require.ErrorContains(t, err, "modifier 'bogus'")
	assert.Equal(t, 200, asApp(`["GET","app:1"]`).status, "a wrong rule changes nothing")
	engine("ACL", "DELUSER", "app")
	assert.Equal(t, 401, asApp(`["GET","app:1"]`).status, "tokens go with their user")
}

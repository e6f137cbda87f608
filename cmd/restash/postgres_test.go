//go:build !race && unix

package main_test

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startPostgres makes a PostgreSQL of this test's own, which can be killed and
// started again; start returns how to kill it. The test is skipped where no
// PostgreSQL is installed, and fails instead where RESTASH_REQUIRE names it.
func startPostgres(t *testing.T) (dsn string, start func() (kill func())) {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	require.NoError(t, err)
	if len(found) == 0 {
		require.NotContains(t, os.Getenv("RESTASH_REQUIRE"), "postgres")
		t.Skip("PostgreSQL is not installed")
	}
	slices.Sort(found)
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "restash-chaos-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	as := notRoot(t, dir)
	data, port := filepath.Join(dir, "data"), freePort(t)
	out, err := as(filepath.Join(bin, "initdb"), "-D", data, "-U", "restash", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8").CombinedOutput()
	require.NoError(t, err, string(out))
	ready := func() bool {
		return exec.Command(filepath.Join(bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", port, "-U", "restash").Run() == nil
	}
	start = func() func() {
		var log lockedBuffer
		for deadline := time.Now().Add(60 * time.Second); ; {
			cmd := as(filepath.Join(bin, "postgres"), "-D", data, "-p", port, "-k", dir, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off")
			cmd.Stderr = &log
			require.NoError(t, cmd.Start())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_ = cmd.Wait() // it was killed, or refused to start
			}()
			kill := func() {
				_ = cmd.Process.Kill()
				<-ended
			}
			for running := true; running; {
				select {
				case <-ended: // children of the one before still hold its memory
					running = false
				case <-time.After(20 * time.Millisecond):
					if ready() {
						t.Cleanup(kill)
						return kill
					}
				}
				require.True(t, time.Now().Before(deadline), "PostgreSQL does not start: %s", &log)
			}
		}
	}
	return "postgres://restash@127.0.0.1:" + port + "/postgres?sslmode=disable", start
}

// notRoot returns how to make a command that PostgreSQL accepts: it refuses to
// run as root, so that its own user takes root's place in dir.
func notRoot(t *testing.T, dir string) func(name string, args ...string) *exec.Cmd {
	t.Helper()
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		require.NoError(t, err)
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		require.NoError(t, err)
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		require.NoError(t, err)
		require.NoError(t, os.Chown(dir, int(uid), int(gid)))
		attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.SysProcAttr = dir, attributes
		cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "PG") })
		return cmd
	}
}

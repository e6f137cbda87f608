package warm_test

import (
	"fmt"
	"io"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/cldcde/restash/upstashtest"
)

// Every goroutine that a test starts has to end: steps and loads.
func TestMain(m *testing.M) {
	if os.Getenv("WARM_TEST_SERVER") != "" {
		serve()
		return
	}
	status := m.Run()
	if err := goleak.Find(); err != nil && status == 0 {
		os.Stderr.WriteString("goroutines left: " + err.Error() + "\n")
		status = 1
	}
	os.Exit(status)
}

// serve is a local server in a process of its own, until its input ends: what
// it keeps is not on the heap that a test measures.
func serve() {
	srv, err := upstashtest.New(upstashtest.Config{})
	if err != nil {
		panic(err)
	}
	fmt.Println(srv.URL, srv.Token)
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = srv.Close()
}

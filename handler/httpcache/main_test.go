package httpcache_test

import (
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Every goroutine that a test starts has to end: loads, refreshes, servers.
func TestMain(m *testing.M) {
	status := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if err := goleak.Find(); err != nil && status == 0 {
		os.Stderr.WriteString("goroutines left: " + err.Error() + "\n")
		status = 1
	}
	os.Exit(status)
}

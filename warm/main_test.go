package warm_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Every goroutine that a test starts has to end: steps and loads.
func TestMain(m *testing.M) {
	status := m.Run()
	if err := goleak.Find(); err != nil && status == 0 {
		os.Stderr.WriteString("goroutines left: " + err.Error() + "\n")
		status = 1
	}
	os.Exit(status)
}

package client_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails if a test left a goroutine behind: a client starts some for
// connections and streams, and all must end with Close, break or the context.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

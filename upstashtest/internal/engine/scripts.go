package engine

import (
	"github.com/cldcde/restash/upstashtest/internal/lua"
)

// scriptStore keeps the scripts that were loaded, by the SHA-1 of their text
// as it was sent, and the libraries of functions.
type scriptStore struct {
	bySHA     map[string]lua.Script
	libraries map[string]*lua.Library
	machine   *lua.Machine // made when first needed: most tests run no script
}

func (s *scriptStore) init() {
	s.bySHA = map[string]lua.Script{}
	s.libraries = map[string]*lua.Library{}
}

func (s *scriptStore) close() {
	if s.machine != nil {
		s.machine.Close()
	}
}

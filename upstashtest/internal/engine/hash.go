package engine

// fieldWords is a write to a hash without the parts that depend on when it
// runs; fieldLives adds these as points in time.
func fieldWords(args []string) []string { return args }

// fieldLives says until when the fields that a command touched live.
func (e *Engine) fieldLives(*Info, []string) [][]string { return nil }

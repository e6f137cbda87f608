package flight

// Remembered is how many invalidated tokens the table knows by name.
func (t *Table[S, V]) Remembered() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.recent)
}

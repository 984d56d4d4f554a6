//go:build !linux

package program

// unread is always 0: other systems do not tell at the writing end of a pipe.
func unread(any) int { return 0 }

func (s *stderr) fetch(p []byte) (int, error) { return s.fetchPlain(p) }

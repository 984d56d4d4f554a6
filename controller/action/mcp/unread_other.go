//go:build !linux

package mcp

import "io"

// unread is always 0: other systems do not tell at the writing end of a pipe.
func unread(io.Writer) int { return 0 }

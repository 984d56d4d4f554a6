package mcp

import "io"

// WithPipe has sessions use a test's pipes in place of a program's stdout and stdin.
func WithPipe(o *Options, pipe func() (io.ReadCloser, io.WriteCloser)) { o.pipe = pipe }

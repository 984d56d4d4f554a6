package mcp

import (
	"io"
	"time"
)

// WithFirstTry sets how long a server may answer nothing before it is started once more.
func WithFirstTry(o *Options, d time.Duration) { o.firstTry = d }

// WithPipe has sessions use a test's pipes in place of a program's stdout and stdin.
func WithPipe(o *Options, pipe func() (io.ReadCloser, io.WriteCloser)) { o.pipe = pipe }

// WithPing sets how long a session is idle before it is asked for a sign of life, and how
// long that may take.
func WithPing(o *Options, after, most time.Duration) { o.pingAfter, o.pingTime = after, most }

// WithYield sets how long a job waits for a session with its slot.
func WithYield(o *Options, after time.Duration) { o.yieldTime = after }

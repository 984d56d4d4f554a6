package server

import (
	"net/http"
	"time"
)

const (
	// writeTimeout is how long a client may take to read the next part of an answer. The
	// answer as a whole may last: a stream is idle until there is something to send.
	writeTimeout = time.Minute
	// writePart is the largest part of an answer with a deadline of its own; within the
	// timeout it takes 4 kB/s.
	writePart = 256 << 10
)

// answer is the http.ResponseWriter of a request. It knows the status code, and gives up a
// client that stops reading.
type answer struct {
	http.ResponseWriter
	conn  *http.ResponseController
	code  int
	wrote bool
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(code int) {
	if !a.wrote {
		a.code, a.wrote = code, true
	}
	a.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	written := 0
	for {
		a.prolong()
		n, err := a.ResponseWriter.Write(p[written:min(written+writePart, len(p))])
		written += n
		if err != nil || written == len(p) {
			return written, err
		}
	}
}

// prolong gives the client its time for the next part. The end of an answer is a part too.
func (a *answer) prolong() {
	if a.conn == nil {
		a.conn = http.NewResponseController(a.ResponseWriter)
	}
	_ = a.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // without a connection there is none
}

// Unwrap lets http.ResponseController reach what is below.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

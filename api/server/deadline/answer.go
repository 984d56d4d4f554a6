package deadline

import (
	"net/http"
	"time"
)

const (
	// WriteTimeout is how long a client may take to read the next part of an answer. The
	// answer as a whole may last: a stream is idle until there is something to send.
	WriteTimeout = time.Minute
	// writePart is the largest part of an answer with a deadline of its own; within the
	// timeout it takes 4 kB/s.
	writePart = 256 << 10
)

// Answer is the http.ResponseWriter of a request. It knows the status code, and gives up a
// client that stops reading.
type Answer struct {
	http.ResponseWriter
	conn  *http.ResponseController
	code  int
	wrote bool
}

// NewAnswer returns the answer that is written to w; its code is 200 until another is written.
func NewAnswer(w http.ResponseWriter) Answer {
	return Answer{ResponseWriter: w, code: http.StatusOK}
}

// WriteHeader implements http.ResponseWriter.
func (a *Answer) WriteHeader(code int) {
	if !a.wrote {
		a.code, a.wrote = code, true
	}
	a.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (a *Answer) Write(p []byte) (int, error) {
	written := 0
	for {
		a.Prolong()
		n, err := a.ResponseWriter.Write(p[written:min(written+writePart, len(p))])
		written += n
		if err != nil || written == len(p) {
			return written, err
		}
	}
}

// Prolong gives the client its time for the next part. The end of an answer is a part too.
func (a *Answer) Prolong() {
	if a.conn == nil {
		a.conn = http.NewResponseController(a.ResponseWriter)
	}
	_ = a.conn.SetWriteDeadline(time.Now().Add(WriteTimeout)) // without a connection there is none
}

// Code is the status code of the answer.
func (a *Answer) Code() int { return a.code }

// Unwrap lets http.ResponseController reach what is below.
func (a *Answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

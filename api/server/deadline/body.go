package deadline

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// bodyTimeout is how long a body may take to arrive: 1 MiB, the default bound of a body,
// takes that long at 35 kB/s.
const bodyTimeout = 30 * time.Second

// timed is a body that must arrive before the read deadline of its connection. The
// deadline ends with the body: a stream or a plan that follows it may take longer.
type timed struct {
	io.ReadCloser
	conn *http.ResponseController
}

// NewBody returns body with a deadline, which begins now.
func NewBody(w http.ResponseWriter, body io.ReadCloser) io.ReadCloser {
	conn := http.NewResponseController(w)
	if conn.SetReadDeadline(time.Now().Add(bodyTimeout)) != nil {
		return body // no connection, as in a test of the handler alone
	}
	return &timed{body, conn}
}

// Read implements io.Reader. Its errors but io.EOF are of type BodyError.
func (b *timed) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		_ = b.conn.SetReadDeadline(time.Time{}) // it could be set
	default:
		err = BodyError{err}
	}
	return n, err
}

// BodyError is a body that did not arrive whole.
type BodyError struct{ err error }

// Error implements error.
func (e BodyError) Error() string {
	if e.Timeout() {
		return "the body did not arrive within " + bodyTimeout.String()
	}
	return "the body cannot be read: " + e.err.Error()
}

// Unwrap is the cause.
func (e BodyError) Unwrap() error { return e.err }

// Timeout reports whether the body took too long.
func (e BodyError) Timeout() bool { return errors.Is(e.err, os.ErrDeadlineExceeded) }

package server

import (
	"net/http"
	"strconv"
)

// backup streams a consistent copy of the whole store. If the copy breaks off, so does the
// connection, so that a client never takes half of it for the whole.
func (s *Server) backup(w http.ResponseWriter, r *request) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="jobs.json"`)
	out := &counted{ResponseWriter: w}
	err := s.opts.Operator.Backup(r.Context(), out)
	switch {
	case err == nil:
		s.opts.Log.Info("a backup was taken", "bytes", strconv.FormatInt(out.n, 10), "by", r.who.Name, "remote", r.RemoteAddr)
	case out.n == 0:
		w.Header().Del("Content-Disposition")
		return err
	default:
		s.opts.Log.Error(err, "a backup broke off", "bytes", out.n)
		panic(http.ErrAbortHandler)
	}
	return nil
}

type counted struct {
	http.ResponseWriter
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n += int64(n)
	return n, err
}

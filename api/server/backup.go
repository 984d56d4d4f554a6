package server

import (
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// backup streams a consistent copy of the whole store. It shows every workspace, so it
// is for those alone who may read the data folder: they know the operator's token.
// Where the copy breaks off, so does the connection: a client never takes half of it
// for the whole.
func (s *Server) backup(w http.ResponseWriter, r *http.Request) {
	if !s.isOperator(r) {
		status := apierrors.NewUnauthorized("a backup shows every workspace: it needs the operator's token, which stands in the data folder")
		writeJSON(w, http.StatusUnauthorized, status.Status())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="jobs.json"`)
	out := &counted{ResponseWriter: w}
	err := s.Backup(r.Context(), out)
	switch {
	case err == nil:
		s.Log.Info("a backup was taken", "bytes", strconv.FormatInt(out.n, 10), "remote", r.RemoteAddr)
	case out.n == 0:
		w.Header().Del("Content-Disposition")
		s.Log.Error(err, "backup")
		status := apierrors.NewInternalError(err)
		writeJSON(w, http.StatusInternalServerError, status.Status())
	default:
		s.Log.Error(err, "a backup broke off", "bytes", out.n)
		panic(http.ErrAbortHandler)
	}
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

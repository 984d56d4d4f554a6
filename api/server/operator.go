package server

import (
	"crypto/subtle"
	"net/http"
	"strings"
)

// isOperator reports whether a request carries the operator's token, which stands in the
// data folder: who may read that folder may do what no client may.
func (s *Server) isOperator(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && s.OperatorToken != "" && subtle.ConstantTimeCompare([]byte(token), []byte(s.OperatorToken)) == 1
}

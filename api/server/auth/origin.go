package auth

import (
	"net/http"
	"net/url"
	"strings"
)

// MisdirectedError refuses a request that was not meant for this server or that a foreign
// page has made. Its sender is no client of the API, so the answer is plain text with the
// status 403, whatever the route is.
type MisdirectedError struct{ Reason string }

// Error implements error.
func (e *MisdirectedError) Error() string { return e.Reason }

// CheckOrigin refuses a request that a page of another origin has made. effects tells that
// the request does more than read. Programs other than browsers send neither Origin nor
// Sec-Fetch-Site, and pass.
func CheckOrigin(r *http.Request, effects bool) error {
	if reason := foreign(r, effects); reason != "" {
		return &MisdirectedError{reason + ": without authentication this server takes requests from its own pages only"}
	}
	return nil
}

// foreign tells why a request comes from a page of another origin; empty: it does not.
func foreign(r *http.Request, effects bool) string {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || !strings.EqualFold(u.Host, r.Host) {
			return "origin " + quote(origin) + " is refused"
		}
		return ""
	}
	if !effects {
		return ""
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "same-origin", "none":
		return ""
	default:
		return "a request from another site (" + quote(site) + ") is refused"
	}
}

// quote shows a value that a client has sent, cut after 100 bytes.
func quote(s string) string {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return `"` + strings.ToValidUTF8(s, "?") + `"`
}

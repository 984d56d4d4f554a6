package server

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// CheckLoopback serves only requests that were meant for this machine's loopback
// interface and that no foreign page has sent. It is what stands in for
// authentication on a server that listens on loopback: the Host check defeats DNS
// rebinding, the Origin check defeats requests forged by a page in the browser.
func CheckLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.Host) {
			writeText(w, http.StatusForbidden, "host "+quote(r.Host)+" is refused: without authentication this server answers only as localhost, 127.0.0.1 or [::1]\n")
			return
		}
		if reason := foreign(r); reason != "" {
			writeText(w, http.StatusForbidden, reason+": without authentication this server takes requests from its own pages only\n")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback reports whether a Host header names the loopback interface.
func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// foreign says why a request comes from a page of another origin; empty: it does
// not. Programs that are no browser send neither header.
func foreign(r *http.Request) string {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || !strings.EqualFold(u.Host, r.Host) {
			return "origin " + quote(origin) + " is refused"
		}
		return ""
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return ""
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "same-origin", "none":
		return ""
	default:
		return "a request from another site (" + quote(site) + ") is refused"
	}
}

func quote(s string) string {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return `"` + strings.ToValidUTF8(s, "?") + `"`
}

package auth

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Loopback is the Authenticator of a server that listens on loopback only and has no
// users: everybody who reaches the server is the zero Identity. It refuses requests whose
// Host is not a loopback name, which defeats DNS rebinding.
type Loopback struct {
	// Credentials recognizes the senders that have more rights than others; nil: nobody has.
	Credentials Authenticator
}

// Authenticate implements Authenticator. It recognizes every request.
func (l Loopback) Authenticate(r *http.Request) (Identity, bool, error) {
	if !isLoopback(r.Host) {
		return Identity{}, false, &MisdirectedError{"host " + quote(r.Host) + " is refused: without authentication this server answers only as localhost, 127.0.0.1 or [::1]"}
	}
	if l.Credentials != nil {
		if who, known, err := l.Credentials.Authenticate(r); known || err != nil {
			return who, known, err
		}
	}
	return Identity{}, true, nil
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

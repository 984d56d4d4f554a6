package apicall

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// refusedError is an address that calls must not go to.
type refusedError struct{ addr netip.Addr }

func (e *refusedError) Error() string {
	return fmt.Sprintf("the address %s is private; start the server with --allow-private-addresses if calls may go there", e.addr)
}

// transport dials public addresses only, unless private ones are allowed. It knows no
// proxy: a proxy would dial for it, unchecked.
func transport(allowPrivate bool) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	if !allowPrivate {
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return CheckAddress(address) }
	}
	return &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 30 * time.Second,
		MaxIdleConns: 16, MaxResponseHeaderBytes: 64 << 10,
	}
}

// CheckAddress refuses an address ("192.0.2.1:80") that is not reachable from everywhere.
func CheckAddress(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	return checkAddr(at.Addr())
}

func checkAddr(addr netip.Addr) error {
	addr = addr.Unmap()
	carrierGrade := netip.MustParsePrefix("100.64.0.0/10") // RFC 6598
	if addr.IsPrivate() || !addr.IsGlobalUnicast() || carrierGrade.Contains(addr) {
		return &refusedError{addr}
	}
	return nil
}

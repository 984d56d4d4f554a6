package outbound

import (
	"fmt"
	"net/netip"
	"slices"
)

// RefusedError is an address that requests must not go to.
type RefusedError struct{ Addr netip.Addr }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the address %s is private; start the server with --allow-private-addresses if calls may go there, or allow this host in its --outbound file (allowPrivate)", e.Addr)
}

// checkAddress refuses an address ("192.0.2.1:80") that is not reachable from everywhere.
func checkAddress(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	return checkAddr(at.Addr())
}

func checkAddr(addr netip.Addr) error {
	addr = addr.Unmap()
	for at := addr; ; {
		if at.IsPrivate() || !at.IsGlobalUnicast() || slices.ContainsFunc(special(), func(p netip.Prefix) bool { return p.Contains(at) }) {
			return &RefusedError{addr}
		}
		inner, ok := embedded(at)
		if !ok {
			return nil
		}
		at = inner
	}
}

// special are addresses that look global and are not (the registries of RFC 6890).
func special() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),      // this network
		netip.MustParsePrefix("100.64.0.0/10"),  // carrier-grade NAT, RFC 6598
		netip.MustParsePrefix("192.0.0.0/24"),   // protocol assignments
		netip.MustParsePrefix("198.18.0.0/15"),  // benchmarks, RFC 2544
		netip.MustParsePrefix("240.0.0.0/4"),    // reserved
		netip.MustParsePrefix("64:ff9b:1::/48"), // NAT64 of a network of one's own, RFC 8215
		netip.MustParsePrefix("2001::/32"),      // Teredo, RFC 4380
		netip.MustParsePrefix("fec0::/10"),      // site-local, RFC 3879
		netip.MustParsePrefix("::/96"),          // IPv4-compatible, RFC 4291
	}
}

// embedded is the IPv4 address to which an IPv6 address leads through a translator.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	if !addr.Is6() {
		return addr, false
	}
	b := addr.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(addr): // NAT64, RFC 6052
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case netip.MustParsePrefix("2002::/16").Contains(addr): // 6to4, RFC 3056
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return addr, false
}

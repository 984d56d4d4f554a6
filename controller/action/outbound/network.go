package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// connectTime and handshakeTime bound how long a connection takes to be there.
	connectTime   = 10 * time.Second
	handshakeTime = 10 * time.Second
	// MaxHeaderBytes bounds the head of an answer.
	MaxHeaderBytes = 64 << 10
	// resolveTime bounds how long Reachable waits for a name to be resolved.
	resolveTime = 10 * time.Second
)

// ErrUnanswered means that a request was sent and there is no answer. It may have been
// acted upon, and was not sent again.
var ErrUnanswered = errors.New("the request was sent, and no answer could be read")

// errSecond keeps a request from being sent a second time.
var errSecond = errors.New("a second connection for one request is refused")

// Options configure a Network.
type Options struct {
	// AllowPrivate lets requests go to private, loopback and link-local addresses.
	AllowPrivate bool
	// Hosts are the operator's settings; nil: none.
	Hosts *Hosts
}

// Network sends requests. It implements http.RoundTripper and is safe for concurrent use.
type Network struct {
	opts  Options
	plain *entry // of hosts without an entry
	// permits lets a request go to an address that would be refused; nil: to none.
	permits func(address string) bool
}

// New returns a Network.
func New(opts Options) *Network {
	return &Network{opts: opts, plain: &entry{tls: &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(sessions)}}}
}

// Permitting is the same network, whose requests may also go to the addresses
// ("127.0.0.1:80") that permits says.
func (n *Network) Permitting(permits func(address string) bool) *Network {
	other := *n
	other.permits = permits
	return &other
}

func (n *Network) entry(u *url.URL) *entry {
	if e := n.opts.Hosts.find(u); e != nil {
		return e
	}
	return n.plain
}

// RoundTrip implements http.RoundTripper. An error that wraps ErrUnanswered means that the
// request may have been acted upon; any other, that it was not sent.
func (n *Network) RoundTrip(request *http.Request) (*http.Response, error) {
	e := n.entry(request.URL)
	if err := n.checkProxied(e, request.URL); err != nil {
		return nil, closing(request, err)
	}
	proxy, err := e.via()
	if err != nil {
		return nil, closing(request, err)
	}
	var dialled, sent atomic.Bool
	dialer := &net.Dialer{Timeout: connectTime, Control: n.control(e)}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if dialled.Swap(true) {
				return nil, errSecond
			}
			return dialer.DialContext(ctx, network, address)
		},
		TLSHandshakeTimeout: handshakeTime,
		DisableKeepAlives:   true, DisableCompression: true, MaxResponseHeaderBytes: MaxHeaderBytes,
	}
	if proxy != nil {
		transport.Proxy = http.ProxyURL(proxy)
	}
	if secure(request.URL) || secure(proxy) {
		transport.TLSClientConfig, transport.ForceAttemptHTTP2 = e.tls.Clone(), true
	} else {
		transport.TLSNextProto = noProtocols // preparing HTTP/2 takes as long as a call on the same machine
	}
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}
	own := request.Clone(httptrace.WithClientTrace(request.Context(), trace))
	own.GetBody = nil // with it a body would be sent again
	response, err := transport.RoundTrip(own)
	switch {
	case err == nil:
		response.Request = request
		return response, nil
	case !sent.Load():
		return nil, err
	case errors.Is(err, errSecond):
		return nil, fmt.Errorf("%w: the server refused it over HTTP/2", ErrUnanswered)
	}
	return nil, fmt.Errorf("%w: %w", ErrUnanswered, err)
}

// noProtocols has a transport speak HTTP/1.1 alone.
var noProtocols = map[string]func(string, *tls.Conn) http.RoundTripper{}

func secure(u *url.URL) bool { return u != nil && u.Scheme == "https" }

// closing closes the body of a request that is not sent, as RoundTrip must.
func closing(request *http.Request, err error) error {
	if request.Body != nil {
		request.Body.Close()
	}
	return err
}

// control checks the address that is dialled.
func (n *Network) control(e *entry) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		if n.allowsPrivate(e) || e.proxy != nil || n.permits != nil && n.permits(address) {
			return nil
		}
		return checkAddress(address)
	}
}

func (n *Network) allowsPrivate(e *entry) bool { return n.opts.AllowPrivate || e.AllowPrivate }

// checkProxied refuses what a proxy must not be asked for.
func (n *Network) checkProxied(e *entry, u *url.URL) error {
	if e.proxy == nil || n.allowsPrivate(e) {
		return nil
	}
	host := normal(u.Hostname())
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return &RefusedError{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return checkAddr(addr.WithZone(""))
	}
	return nil
}

// Reachable says why a URL must not be called (empty: it may be); an error means that it
// could not be found out.
func (n *Network) Reachable(ctx context.Context, u *url.URL) (problem string, err error) {
	e := n.entry(u)
	if e.proxy != nil {
		if err := n.checkProxied(e, u); err != nil {
			return err.Error(), nil
		}
		return "", nil // names are the proxy's to resolve
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
		return "no such host: " + u.Hostname(), nil
	}
	if err != nil {
		return "", fmt.Errorf("resolve the host of the call: %w", err)
	}
	if n.allowsPrivate(e) {
		return "", nil
	}
	for _, address := range addresses {
		refused := checkAddr(address)
		if refused == nil {
			return "", nil
		}
		problem = refused.Error()
	}
	return problem, nil
}

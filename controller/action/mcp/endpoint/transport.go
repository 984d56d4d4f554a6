package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/oauth"
	"jobwright.dev/controller/action/mcp/wire"
)

// Options are the parts of one session.
type Options struct {
	// Peer is the server at the other end of the session. Required.
	Peer *wire.Peer
	// Tokens carry OAuth tokens; nil: the server wants none.
	Tokens *oauth.Source
	// Adopted is a session that was left on the server; nil: the server begins one.
	Adopted *Adoption
}

// New is the transport to a server behind a URL.
func New(server config.Server, opts Options) (sdk.Transport, error) {
	next, err := Dial(server)
	if err != nil {
		return nil, err
	}
	endpoint, err := url.Parse(server.URL)
	if err != nil {
		return nil, err
	}
	next = wire.Once(headers{server.Headers, endpoint, next})
	if opts.Tokens != nil {
		next = opts.Tokens.Transport(next)
	}
	if server.Type == config.TypeSSE {
		client := &http.Client{Transport: opts.Peer.SSE(next), CheckRedirect: stay}
		return lasting{&sdk.SSEClientTransport{Endpoint: server.URL, HTTPClient: client}}, nil
	}
	next = opts.Peer.HTTP(next)
	if opts.Adopted != nil {
		opts.Adopted.next, next = next, opts.Adopted
	}
	client := &http.Client{Transport: next, CheckRedirect: stay}
	return &sdk.StreamableClientTransport{Endpoint: server.URL, HTTPClient: client}, nil
}

// Dial is the round tripper to a server's URL. It trusts the operator's certificate
// authority instead of the system's where the server's definition names one.
func Dial(server config.Server) (http.RoundTripper, error) {
	if server.CAFile == "" {
		return http.DefaultTransport, nil
	}
	pool, err := config.Authorities(server.CAFile)
	if err != nil {
		return nil, fmt.Errorf("caFile: %w", err)
	}
	base, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("caFile: this program's HTTP transport cannot be given one")
	}
	own := base.Clone()
	own.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return own, nil
}

// stay refuses redirects to another host or another scheme: requests, and the operator's
// headers with them, are for that server.
func stay(request *http.Request, via []*http.Request) error {
	const most = 5
	from := via[0].URL
	if request.Method != via[0].Method {
		return fmt.Errorf("it redirects to %s, which would turn the call into a %s", request.URL.Host, request.Method)
	}
	if !sameOrigin(request.URL, from) {
		return fmt.Errorf("it redirects to %s://%s, and a server is followed only on its own host", request.URL.Scheme, request.URL.Host)
	}
	if len(via) >= most {
		return fmt.Errorf("it redirects more than %d times", most)
	}
	return nil
}

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// lasting is a transport whose connection lasts longer than the context that it was made
// with; the SDK ends one of server-sent events with it.
type lasting struct{ sdk.Transport }

// Connect implements sdk.Transport.
func (l lasting) Connect(ctx context.Context) (sdk.Connection, error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, end)
	connection, err := l.Transport.Connect(life)
	if !stop() || err != nil {
		end()
	}
	return connection, err
}

package mcp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/oauth"
)

// roundTripper dials a server's endpoint, and trusts the operator's certificate authority
// instead of the system's where one is named.
func roundTripper(s Server) (http.RoundTripper, error) {
	if s.CAFile == "" {
		return http.DefaultTransport, nil
	}
	pool, err := config.Authorities(s.CAFile)
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

// tokensFor gets tokens for a server, over its own round tripper.
func (r *Runner) tokensFor(name string, s Server) (*oauth.Source, error) {
	base, err := roundTripper(s)
	if err != nil {
		return nil, err
	}
	source, err := oauth.New(*s.OAuth, s.URL, base, oauth.Options{
		Asked: func(err error) { r.metrics.asked(name, err) },
		Found: func(issuer, endpoint string) {
			r.opts.Log.Info("found where tokens for an MCP server come from", "server", name, "issuer", issuer, "tokenEndpoint", endpoint)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	return source, nil
}

// redacted is an error of a server without what its URL may hold of secrets.
type redacted struct {
	server Server
	err    error
}

func (r redacted) Error() string { return r.server.Redact(r.err.Error()) }
func (r redacted) Unwrap() error { return r.err }

// stay refuses redirects to another host or another scheme: what is said to a server, and
// the operator's headers with it, is for that server.
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

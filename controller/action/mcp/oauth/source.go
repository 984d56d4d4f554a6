package oauth

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"

	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/secrets"
)

const (
	// requestTime bounds one request to an authorization server.
	requestTime = 30 * time.Second
	// early is how long before its end a token is renewed.
	early = 30 * time.Second
	// maxScopes bounds what is asked for.
	maxScopes = 100
)

// Source has the tokens for one server.
type Source struct {
	options   Options
	config    config.OAuth
	server    *url.URL
	client    *http.Client
	key       crypto.Signer // of private_key_jwt
	algorithm string

	turn chan struct{} // holds one element while a token is got

	mu      sync.Mutex
	token   *oauth2.Token
	refresh string
	found   *endpoints
	scopes  []string // that were asked for last
}

// Options are who is told of what a Source does.
type Options struct {
	// Asked is called after each request for a token; with an error there is none.
	Asked func(err error)
	// Found is called when it is known where tokens come from.
	Found func(issuer, tokenEndpoint string)
}

// New returns a Source. The base dials both the server and its authorization server.
func New(c config.OAuth, server string, base http.RoundTripper, o Options) (*Source, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	s := &Source{options: o, config: c, server: u, turn: make(chan struct{}, 1), refresh: c.RefreshToken}
	s.client = &http.Client{Transport: base, Timeout: requestTime, CheckRedirect: stay}
	if c.PrivateKey != "" {
		if s.key, s.algorithm, err = c.Signer(); err != nil {
			return nil, err
		}
	}
	if c.TokenURL != "" {
		s.found = &endpoints{token: c.TokenURL, issuer: c.Issuer, resource: server}
	}
	return s, nil
}

// stay refuses redirects to another origin, which must not get what was for this one.
func stay(r *http.Request, via []*http.Request) error {
	if len(via) > 3 || !sameOrigin(r.URL, via[0].URL) {
		return errors.New("it redirects, and is followed only on its own host")
	}
	return nil
}

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// Transport adds tokens to the requests to the server, and gets them where it wants some.
func (s *Source) Transport(next http.RoundTripper) http.RoundTripper { return transport{s, next} }

// Missing is why a request was not carried out: there is no token for it.
type Missing struct{ error }

// Unsent tells that the server has done nothing.
func (Missing) Unsent() {}

// Unwrap is the cause.
func (m Missing) Unwrap() error { return m.error }

type transport struct {
	source *Source
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !sameOrigin(r.URL, t.source.server) {
		return t.next.RoundTrip(r)
	}
	used, err := t.source.current(r.Context())
	if err != nil {
		return nil, Missing{fmt.Errorf("no token for it could be got: %w", err)}
	}
	response, err := t.next.RoundTrip(with(used, r, r.Body))
	if err != nil || !wants(response) {
		return response, err
	}
	again := io.ReadCloser(nil)
	if r.Body != nil && r.Body != http.NoBody {
		if r.GetBody == nil {
			return response, nil
		}
		if again, err = r.GetBody(); err != nil {
			return response, nil //nolint:nilerr // the answer says what is wrong
		}
	}
	fresh, err := t.source.renew(r.Context(), response, used)
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection can be used again
	response.Body.Close()
	if err != nil {
		return nil, Missing{fmt.Errorf("it wants authorization (HTTP %d), and no token could be got: %w", response.StatusCode, err)}
	}
	return t.next.RoundTrip(with(fresh, r, again))
}

// with is a request with a token.
func with(token string, r *http.Request, body io.ReadCloser) *http.Request {
	r = r.Clone(r.Context())
	r.Body = body
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// wants reports whether an answer says that another token is needed.
func wants(r *http.Response) bool {
	switch r.StatusCode {
	case http.StatusUnauthorized:
		return true
	case http.StatusForbidden:
		return slices.ContainsFunc(challenges(r), func(c oauthex.Challenge) bool { return c.Params["error"] == "insufficient_scope" })
	}
	return false
}

// challenges are those of WWW-Authenticate; what cannot be read is none.
func challenges(r *http.Response) []oauthex.Challenge {
	read, err := oauthex.ParseWWWAuthenticate(r.Header.Values("WWW-Authenticate"))
	if err != nil {
		return nil
	}
	return read
}

// current is the token there is, renewed if it is about to expire; empty: there is none,
// and the server is to say what it wants.
func (s *Source) current(ctx context.Context) (string, error) {
	s.mu.Lock()
	token, known := s.token, s.found != nil
	s.mu.Unlock()
	if valid(token) {
		return token.AccessToken, nil
	}
	if !known {
		return "", nil
	}
	if err := s.wait(ctx); err != nil {
		return "", err
	}
	defer s.leave()
	s.mu.Lock()
	token, scopes := s.token, s.scopes
	s.mu.Unlock()
	if valid(token) {
		return token.AccessToken, nil // somebody else has got it meanwhile
	}
	return s.get(ctx, scopes)
}

func valid(token *oauth2.Token) bool {
	return token != nil && (token.Expiry.IsZero() || time.Until(token.Expiry) > early)
}

// renew gets a token that a server wants in place of the one that was used.
func (s *Source) renew(ctx context.Context, response *http.Response, used string) (string, error) {
	if err := s.wait(ctx); err != nil {
		return "", err
	}
	defer s.leave()
	s.mu.Lock()
	token, found, scopes := s.token, s.found, s.scopes
	s.mu.Unlock()
	if valid(token) && token.AccessToken != used {
		return token.AccessToken, nil // somebody else has got it meanwhile
	}
	if found == nil {
		var err error
		if found, err = s.discover(ctx, challenges(response)); err != nil {
			return "", err
		}
		s.options.Found(found.issuer, shown(found.token))
		s.mu.Lock()
		s.found = found
		s.mu.Unlock()
	}
	return s.get(ctx, s.wanted(response, found, scopes))
}

// wanted are the scopes to ask for: the operator's, or those that the server names in its
// answer or else in its metadata; and in any case what it says that is missing, beside
// what was there before.
func (s *Source) wanted(response *http.Response, found *endpoints, before []string) []string {
	var named []string
	for _, c := range challenges(response) {
		if c.Scheme == "bearer" {
			named = append(named, strings.Fields(c.Params["scope"])...)
		}
	}
	scopes := slices.Clone(s.config.Scopes)
	switch {
	case response.StatusCode == http.StatusForbidden:
		scopes = append(append(scopes, before...), named...)
	case len(scopes) > 0:
	case len(named) > 0:
		scopes = named
	default:
		scopes = slices.Clone(found.scopes)
	}
	var once []string
	for _, scope := range scopes {
		if !slices.Contains(once, scope) && len(once) < maxScopes {
			once = append(once, scope)
		}
	}
	return once
}

// wait waits for the turn to get a token.
func (s *Source) wait(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Source) leave() { <-s.turn }

// Redact takes the secrets and the token out of a text.
func (s *Source) Redact(text string) string {
	if s == nil {
		return text
	}
	s.mu.Lock()
	hidden := []string{s.config.ClientSecret, s.config.RefreshToken, s.refresh}
	if s.token != nil {
		hidden = append(hidden, s.token.AccessToken)
	}
	s.mu.Unlock()
	return secrets.NewRedactor(hidden...).String(text)
}

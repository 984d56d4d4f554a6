package oauth

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/oauth/vault"
	"jobwright.dev/controller/action/secrets"
)

const (
	// requestTime bounds one request to an authorization server.
	requestTime = 30 * time.Second
	// early is how long before its end a token is renewed.
	early = 30 * time.Second
	// maxRepeats is how often a request is repeated: with a token that is kept, with one that
	// another request has got meanwhile, and with one of its own.
	maxRepeats = 3
	// maxScopes bounds what is asked for.
	maxScopes = 100
)

// Source gets the tokens for one server.
type Source struct {
	options   Options
	config    config.OAuth
	name      string // of the server in the operator's file
	server    *url.URL
	client    *http.Client
	key       crypto.Signer // of private_key_jwt
	algorithm string
	account   *account

	mu     sync.Mutex
	found  *endpoints
	values []string         // what must not be told
	hidden *secrets.Guarded // the same
}

// Options are where a Source keeps its tokens, and who is told of what it does.
type Options struct {
	// Tokens are the tokens of all servers; nil: the Source keeps its own, in memory only.
	Tokens *Tokens
	// Asked is called after each request for a token; with an error there is none.
	Asked func(err error)
	// Found is called when it is known where tokens come from.
	Found func(issuer, tokenEndpoint string)
}

// New returns the Source of the server that the operator's file calls name. The base dials
// both the server and its authorization server.
func New(c config.OAuth, name, server string, base http.RoundTripper, o Options) (*Source, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	if o.Tokens == nil {
		o.Tokens = NewTokens(nil, logr.Discard())
	}
	s := &Source{options: o, config: c, name: name, server: u, account: o.Tokens.account(name)}
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

// RoundTrip implements http.RoundTripper. A server may refuse a token from before a restart
// or from another request; the request is not repeated after one that was got for it.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !sameOrigin(r.URL, t.source.server) {
		return t.next.RoundTrip(r)
	}
	used, err := t.source.current(r.Context())
	if err != nil {
		return nil, Missing{fmt.Errorf("no token for it could be got: %w", err)}
	}
	response, err := t.next.RoundTrip(with(used, r, r.Body))
	fresh := false
	for repeated := 0; err == nil && !fresh && repeated < maxRepeats && wants(response); repeated++ {
		again := io.ReadCloser(nil)
		if r.Body != nil && r.Body != http.NoBody {
			if r.GetBody == nil {
				return response, nil
			}
			if again, err = r.GetBody(); err != nil {
				return response, nil //nolint:nilerr // the answer says what is wrong
			}
		}
		got := t.source.renew(r.Context(), response, used)
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection can be used again
		response.Body.Close()
		if got.err != nil {
			return nil, Missing{fmt.Errorf("it wants authorization (HTTP %d), and no token could be got: %w", response.StatusCode, got.err)}
		}
		used, fresh = got.token, got.fresh
		response, err = t.next.RoundTrip(with(used, r, again))
	}
	return response, err
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
	found := s.endpoints()
	if found == nil {
		return "", nil
	}
	owner, request := s.owner(found), s.request(found)
	if g, settled := s.account.known(owner); settled && g.valid(request) {
		return g.AccessToken, nil
	}
	got := s.account.alone(ctx, func() answer {
		s.account.save(owner)
		g := s.account.load(owner)
		if g.valid(request) {
			return answer{token: g.AccessToken} // kept, or somebody else has got it meanwhile
		}
		scopes := g.Scopes
		if g.Request != request {
			scopes = s.config.Scopes
		}
		return s.get(ctx, found, scopes)
	})
	return got.token, got.err
}

func (s *Source) endpoints() *endpoints {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found
}

// renew gets a token that a server wants in place of the one that was used.
func (s *Source) renew(ctx context.Context, response *http.Response, used string) answer {
	return s.account.alone(ctx, func() answer {
		found, err := s.find(ctx, response)
		if err != nil {
			return answer{err: err}
		}
		g := s.account.load(s.owner(found))
		if g.valid(s.request(found)) && g.AccessToken != used {
			return answer{token: g.AccessToken} // kept, or somebody else has got it meanwhile
		}
		return s.get(ctx, found, s.wanted(response, found, g.Scopes))
	})
}

// find finds out once where tokens come from.
func (s *Source) find(ctx context.Context, response *http.Response) (*endpoints, error) {
	if found := s.endpoints(); found != nil {
		return found, nil
	}
	found, err := s.discover(ctx, challenges(response))
	if err != nil {
		return nil, err
	}
	s.options.Found(found.issuer, shown(found.token))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found = found
	return found, nil
}

// owner is whom the server's tokens are given to.
func (s *Source) owner(found *endpoints) owner {
	return owner{
		binding:     vault.Binding{Server: s.name, Issuer: found.issuer, TokenEndpoint: found.token, Client: s.config.ClientID},
		credentials: digest(s.config.ClientSecret, s.config.PrivateKey, s.config.RefreshToken),
		refresh:     s.config.RefreshToken,
	}
}

// request is a digest of what access tokens are requested for, apart from the scopes that
// the server names.
func (s *Source) request(found *endpoints) string {
	return digest(append([]string{s.resource(found), s.config.Audience}, s.config.Scopes...)...)
}

// digest is the same for the same texts alone.
func digest(texts ...string) string {
	sum := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(sum, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(sum.Sum(nil))
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

// Redact takes the secrets and the tokens out of a text.
func (s *Source) Redact(text string) string { return s.Hidden().From("").String(text) }

// Hidden are the secrets and the tokens; a nil Source has none.
func (s *Source) Hidden() *secrets.Guarded {
	if s == nil {
		return nil
	}
	values := append(s.account.secrets(), s.config.ClientSecret, s.config.RefreshToken)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hidden == nil || !slices.Equal(values, s.values) {
		s.values, s.hidden = values, secrets.NewGuarded(secrets.MinLength, values...)
	}
	return s.hidden
}

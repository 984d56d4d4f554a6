package oauth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"jobwright.dev/controller/action/mcp/config"
)

const (
	clientID     = "the-client"
	clientSecret = "hunter2/+secret"
)

// world is an MCP server with its authorization server, at two addresses.
type world struct {
	server, issuer *httptest.Server

	mu       sync.Mutex
	requests []url.Values   // of tokens
	given    map[string]int // tokens, and how often they may still be used
	seen     []string       // Authorization of requests to the server
	answer   string         // the token endpoint's, in place of a token
	status   int
	about    map[string]any     // protected resource metadata; nil: there is none
	meta     map[string]any     // authorization server metadata
	own      map[string]any     // that of the server itself
	locked   bool               // the server's metadata is behind its login
	want     string             // further parameters of the challenge
	more     map[string]any     // further members of a token's answer
	uses     int                // how often a token may be used
	scope    string             // that a request needs; else 403
	refresh  string             // the one refresh token that is taken; it is replaced with each use
	before   func(token string) // called before a request to the server is answered
	endpoint func()             // called before a request for a token is answered
}

func newWorld(t *testing.T) *world {
	w := &world{given: map[string]int{}, uses: 1000, more: map[string]any{"expires_in": 3600}}
	w.server = httptest.NewServer(http.HandlerFunc(w.serve))
	w.issuer = httptest.NewServer(http.HandlerFunc(w.issue))
	t.Cleanup(w.server.Close)
	t.Cleanup(w.issuer.Close)
	w.about = map[string]any{"resource": w.server.URL + "/mcp", "authorization_servers": []string{w.issuer.URL}, "scopes_supported": []string{"all"}}
	w.meta = map[string]any{"issuer": w.issuer.URL, "token_endpoint": w.issuer.URL + "/get"}
	return w
}

func (w *world) serve(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case strings.HasPrefix(r.URL.Path, "/.well-known/") && w.locked:
		out.WriteHeader(http.StatusUnauthorized)
		return
	case strings.HasPrefix(r.URL.Path, "/.well-known/oauth-protected-resource"):
		tell(out, w.about)
		return
	case strings.HasPrefix(r.URL.Path, "/.well-known/oauth-authorization-server"):
		tell(out, w.own)
		return
	case strings.HasPrefix(r.URL.Path, "/.well-known/"):
		http.NotFound(out, r)
		return
	case r.URL.Path == "/token" || r.URL.Path == "/own":
		w.hand(out, r)
		return
	}
	authorization := r.Header.Get("Authorization")
	w.seen = append(w.seen, authorization)
	token := strings.TrimPrefix(authorization, "Bearer ")
	if w.before != nil {
		w.before(token)
	}
	switch {
	case w.given[token] == 0:
		out.Header().Set("WWW-Authenticate", "Bearer "+w.want)
		out.WriteHeader(http.StatusUnauthorized)
	case w.scope != "" && !strings.Contains(token, w.scope):
		out.Header().Set("WWW-Authenticate", fmt.Sprintf("Bearer error=%q, scope=%q", "insufficient_scope", w.scope))
		out.WriteHeader(http.StatusForbidden)
	default:
		w.given[token]--
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(out, "got %s", body)
	}
}

func (w *world) issue(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.URL.Path != "/get" {
		if strings.HasSuffix(r.URL.Path, "oauth-authorization-server") {
			tell(out, w.meta)
			return
		}
		http.NotFound(out, r)
		return
	}
	w.hand(out, r)
}

// hand is the token endpoint; mu is held.
func (w *world) hand(out http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	if id, secret, ok := r.BasicAuth(); ok {
		r.PostForm.Set("basic", id+":"+secret)
	}
	w.requests = append(w.requests, r.PostForm)
	if w.endpoint != nil {
		w.endpoint()
	}
	if used := r.PostForm.Get("refresh_token"); used != "" && w.refresh != "" {
		if used != w.refresh {
			w.refresh = "none is taken any more" // as RFC 9700 has it: somebody has stolen one
			out.Header().Set("Content-Type", "application/json")
			out.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(out, `{"error":"invalid_grant"}`)
			return
		}
		w.refresh = fmt.Sprintf("refresh-%d", len(w.requests))
	}
	if w.answer != "" {
		out.Header().Set("Content-Type", "application/json")
		out.WriteHeader(w.status)
		fmt.Fprint(out, w.answer)
		return
	}
	token := fmt.Sprintf("token-%d-%s", len(w.requests), r.PostForm.Get("scope"))
	w.given[token] = w.uses
	answer := map[string]any{"access_token": token, "token_type": "bearer"}
	maps.Copy(answer, w.more)
	if w.refresh != "" && r.PostForm.Has("refresh_token") {
		answer["refresh_token"] = w.refresh
	}
	tell(out, answer)
}

func tell(out http.ResponseWriter, value map[string]any) {
	if value == nil {
		out.WriteHeader(http.StatusNotFound)
		return
	}
	out.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(out).Encode(value)
}

func (w *world) source(t *testing.T, c config.OAuth) *Source {
	t.Helper()
	if c.ClientID == "" {
		c.ClientID = clientID
	}
	s, err := New(c, "crm", w.server.URL+"/mcp", http.DefaultTransport, Options{Asked: func(error) {}, Found: func(string, string) {}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// post posts to the server, or to an address of its.
func post(t *testing.T, s *Source, address string) (string, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.Transport(http.DefaultTransport).RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return fmt.Sprintf("%d %s", response.StatusCode, body), err
}

func TestATokenIsGotWithTheClientsCredentials(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(w *world)
		config config.OAuth
		asks   url.Values // resource is the server unless it says otherwise
	}{
		"basic, as is the default":      {nil, config.OAuth{ClientSecret: clientSecret}, url.Values{"basic": {clientID + ":hunter2%2F%2Bsecret"}, "scope": {"all"}}},
		"post, where it is the only":    {func(w *world) { w.meta["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"} }, config.OAuth{ClientSecret: clientSecret}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "scope": {"all"}}},
		"post, where the operator says": {nil, config.OAuth{ClientSecret: clientSecret, AuthMethod: config.AuthPost}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "scope": {"all"}}},
		"scopes of the operator":        {nil, config.OAuth{ClientSecret: clientSecret, AuthMethod: config.AuthPost, Scopes: []string{"a", "b"}}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "scope": {"a b"}}},
		"scopes of the answer":          {func(w *world) { w.want = `scope="x y"` }, config.OAuth{ClientSecret: clientSecret, AuthMethod: config.AuthPost}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "scope": {"x y"}}},
		"no scopes at all":              {func(w *world) { delete(w.about, "scopes_supported") }, config.OAuth{ClientSecret: clientSecret, AuthMethod: config.AuthPost}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}}},
		"another resource":              {nil, config.OAuth{ClientSecret: clientSecret, AuthMethod: config.AuthPost, Resource: "https://example.org"}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "scope": {"all"}, "resource": {"https://example.org"}}},
		"an audience, no resource":      {nil, config.OAuth{ClientSecret: clientSecret, AuthMethod: config.AuthPost, NoResource: true, Audience: "api"}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "scope": {"all"}, "audience": {"api"}, "resource": nil}},
		"metadata where it says": {func(w *world) {
			w.want = `resource_metadata="` + w.server.URL + `/.well-known/oauth-protected-resource/elsewhere"`
		}, config.OAuth{ClientSecret: clientSecret, AuthMethod: config.AuthPost}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "scope": {"all"}}},
		"an issuer with a slash":  {nil, config.OAuth{ClientSecret: clientSecret, AuthMethod: config.AuthPost, Issuer: "/"}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "scope": {"all"}}},
		"a resource with a slash": {func(w *world) { w.about["resource"] = w.server.URL + "/mcp/" }, config.OAuth{ClientSecret: clientSecret, AuthMethod: config.AuthPost}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "scope": {"all"}, "resource": {"SERVER/mcp/"}}},
		"the origin as resource":  {func(w *world) { w.about["resource"] = w.server.URL }, config.OAuth{ClientSecret: clientSecret, AuthMethod: config.AuthPost}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "scope": {"all"}, "resource": {"SERVER"}}},
		"no metadata but its own": {func(w *world) {
			w.about, w.own = nil, map[string]any{"issuer": w.server.URL, "token_endpoint": w.server.URL + "/own"}
		}, config.OAuth{ClientSecret: clientSecret, AuthMethod: config.AuthPost}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}}},
		"no metadata at all":        {func(w *world) { w.about = nil }, config.OAuth{ClientSecret: clientSecret, AuthMethod: config.AuthPost}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}}},
		"metadata behind the login": {func(w *world) { w.locked = true }, config.OAuth{ClientSecret: clientSecret, AuthMethod: config.AuthPost}, url.Values{"client_id": {clientID}, "client_secret": {clientSecret}}},
		"a refresh token":           {nil, config.OAuth{RefreshToken: "refresh-me"}, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"refresh-me"}, "client_id": {clientID}, "scope": {"all"}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if tc.change != nil {
				tc.change(w)
			}
			if tc.config.Issuer != "" {
				tc.config.Issuer = w.issuer.URL + tc.config.Issuer
			}
			s := w.source(t, tc.config)
			for range 3 {
				if got, err := post(t, s, w.server.URL+"/mcp"); err != nil || got != "200 got hello" {
					t.Fatalf("%q, %v", got, err)
				}
			}
			want := url.Values{"grant_type": {"client_credentials"}, "resource": {w.server.URL + "/mcp"}}
			maps.Copy(want, tc.asks)
			if r := want.Get("resource"); strings.HasPrefix(r, "SERVER") {
				want.Set("resource", w.server.URL+strings.TrimPrefix(r, "SERVER"))
			}
			if want["resource"] == nil {
				delete(want, "resource")
			}
			if diff := cmp.Diff([]url.Values{want}, w.requests); diff != "" {
				t.Errorf("requests for tokens (-want +got):\n%s", diff)
			}
			if len(w.seen) != 4 || w.seen[0] != "" {
				t.Errorf("the server saw %q", w.seen)
			}
		})
	}
}

func TestAnAssertionIsSigned(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	s := w.source(t, config.OAuth{PrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), KeyID: "k1"})
	if got, err := post(t, s, w.server.URL+"/mcp"); err != nil || got != "200 got hello" {
		t.Fatalf("%q, %v", got, err)
	}
	asked := w.requests[0]
	if asked.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || asked.Get("client_id") != clientID || asked.Has("client_secret") {
		t.Errorf("request %v", asked)
	}
	claims := jwt.RegisteredClaims{}
	token, err := jwt.ParseWithClaims(asked.Get("client_assertion"), &claims, func(*jwt.Token) (any, error) { return &key.PublicKey, nil },
		jwt.WithAudience(w.issuer.URL), jwt.WithIssuer(clientID), jwt.WithSubject(clientID), jwt.WithExpirationRequired(), jwt.WithValidMethods([]string{"ES256"}))
	if err != nil || token.Header["kid"] != "k1" || claims.ID == "" {
		t.Errorf("assertion %+v, %v", token, err)
	}
}

func TestATokenIsRenewed(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(w *world)
		seen   int // requests to the server, for two of ours
		asked  int
	}{
		"before it expires":               {func(w *world) { w.more["expires_in"] = 10 }, 3, 2},
		"when it is not taken any more":   {func(w *world) { w.uses = 1 }, 4, 2},
		"not while it is good":            {func(*world) {}, 3, 1},
		"not when it never said an end":   {func(w *world) { delete(w.more, "expires_in") }, 3, 1},
		"once only, if it is never taken": {func(w *world) { w.uses = 0 }, 4, 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tc.change(w)
			s := w.source(t, config.OAuth{ClientSecret: clientSecret})
			for range 2 {
				got, err := post(t, s, w.server.URL+"/mcp")
				if err != nil || (got != "200 got hello") != (w.uses == 0) {
					t.Fatalf("%q, %v", got, err)
				}
			}
			if len(w.seen) != tc.seen || len(w.requests) != tc.asked {
				t.Errorf("the server saw %q, and %d tokens were asked for", w.seen, len(w.requests))
			}
		})
	}
}

func TestAMissingScopeIsAskedFor(t *testing.T) {
	w := newWorld(t)
	w.scope = "admin"
	s := w.source(t, config.OAuth{ClientSecret: clientSecret, Scopes: []string{"read"}})
	got, err := post(t, s, w.server.URL+"/mcp")
	if err != nil || !strings.HasPrefix(got, "403") { // the request was repeated once, for the token
		t.Fatalf("%q, %v", got, err)
	}
	if got, err = post(t, s, w.server.URL+"/mcp"); err != nil || got != "200 got hello" {
		t.Fatalf("%q, %v", got, err)
	}
	if last := w.requests[len(w.requests)-1].Get("scope"); last != "read admin" {
		t.Errorf("asked for %q", last)
	}
}

func TestARefreshTokenThatIsReplacedIsUsed(t *testing.T) {
	w := newWorld(t)
	w.uses, w.more["refresh_token"] = 1, "the-next"
	s := w.source(t, config.OAuth{RefreshToken: "the-first"})
	for range 2 {
		if got, err := post(t, s, w.server.URL+"/mcp"); err != nil || got != "200 got hello" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if got := w.requests[0].Get("refresh_token") + " " + w.requests[1].Get("refresh_token"); got != "the-first the-next" {
		t.Error(got)
	}
}

// TestManyRequestsAtOnceGetOneToken.
func TestManyRequestsAtOnceGetOneToken(t *testing.T) {
	w := newWorld(t)
	s := w.source(t, config.OAuth{ClientSecret: clientSecret})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got, err := post(t, s, w.server.URL+"/mcp"); err != nil || got != "200 got hello" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	all.Wait()
	if len(w.requests) != 1 {
		t.Errorf("%d tokens were asked for", len(w.requests))
	}
}

func TestNothingIsFoundOutWhereTheOperatorNamesTheTokenEndpoint(t *testing.T) {
	w := newWorld(t)
	w.about, w.meta = nil, nil
	s := w.source(t, config.OAuth{ClientSecret: clientSecret, TokenURL: w.issuer.URL + "/get", Scopes: []string{"a"}})
	if got, err := post(t, s, w.server.URL+"/mcp"); err != nil || got != "200 got hello" || len(w.seen) != 1 {
		t.Errorf("%q, %v; the server saw %q", got, err, w.seen)
	}
}

func TestWhyThereIsNoToken(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(w *world)
		config config.OAuth
		says   string
	}{
		"it refuses the client": {func(w *world) {
			w.status, w.answer = 401, `{"error":"invalid_client","error_description":"`+clientSecret+` is wrong"}`
		}, config.OAuth{}, "answered HTTP 401: invalid_client: *** is wrong"},
		"it answers with a page":        {func(w *world) { w.status, w.answer = 502, "<html>bad gateway</html>" }, config.OAuth{}, "answered HTTP 502: <html>bad gateway</html>"},
		"it gives no token":             {func(w *world) { w.status, w.answer = 200, `{}` }, config.OAuth{}, "missing access_token"},
		"it gives one of another type":  {func(w *world) { w.more["token_type"] = "mac" }, config.OAuth{}, `gave a token of type "MAC", and only Bearer is spoken`},
		"the refresh token is used up":  {func(w *world) { w.status, w.answer = 400, `{"error":"invalid_grant"}` }, config.OAuth{RefreshToken: "once-only"}, "the refresh token of the operator's file is used up"},
		"the metadata is another's":     {func(w *world) { w.about["resource"] = "https://example.org/mcp" }, config.OAuth{}, `is about "https://example.org/mcp", and not about this server`},
		"the metadata is a neighbour's": {func(w *world) { w.about["resource"] = w.server.URL + "/mc" }, config.OAuth{}, "and not about this server"},
		"no authorization server":       {func(w *world) { delete(w.about, "authorization_servers") }, config.OAuth{}, "the server's metadata names no authorization server; write issuer or tokenUrl"},
		"not the operator's issuer":     {nil, config.OAuth{Issuer: "https://login.example.org"}, "the server names the authorization servers http://127.0.0.1"},
		"the issuer is another":         {func(w *world) { w.meta["issuer"] = "https://example.org" }, config.OAuth{}, `is that of "https://example.org"`},
		"a token endpoint in the clear": {func(w *world) { w.meta["token_endpoint"] = "http://example.org/token" }, config.OAuth{}, "it must be https, unless it is a loopback address"},
		"metadata without end":          {func(w *world) { w.meta["x"] = strings.Repeat("x", maxMetadata) }, config.OAuth{}, "it has more than 1048576 bytes"},
		"metadata in the clear":         {func(w *world) { w.want = `resource_metadata="http://example.org/x"` }, config.OAuth{}, "the server's metadata at http://example.org/x: it must be https"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if tc.change != nil {
				tc.change(w)
			}
			tc.config.ClientSecret = clientSecret
			_, err := post(t, w.source(t, tc.config), w.server.URL+"/mcp")
			if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), "it wants authorization (HTTP 401)") {
				t.Errorf("error %v, not %q", err, tc.says)
			}
			if err != nil && (strings.Contains(err.Error(), clientSecret) || strings.Contains(err.Error(), "once-only")) {
				t.Errorf("it tells a secret: %v", err)
			}
		})
	}
}

// TestNobodyElseGetsTheToken: neither another host, nor one that the server redirects to.
func TestNobodyElseGetsTheToken(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	s := w.source(t, config.OAuth{ClientSecret: clientSecret})
	if _, err := post(t, s, w.server.URL+"/mcp"); err != nil {
		t.Fatal(err)
	}
	if got, err := post(t, s, other.server.URL+"/mcp"); err != nil || !strings.HasPrefix(got, "401") || other.seen[0] != "" || len(other.requests) > 0 {
		t.Errorf("%q, %v; the other saw %q", got, err, other.seen)
	}
	if told := s.Redact("so it was " + strings.TrimPrefix(w.seen[1], "Bearer ") + " or " + clientSecret); told != "so it was *** or ***" {
		t.Error(told)
	}
	away := httptest.NewServer(http.RedirectHandler(other.issuer.URL+"/get", http.StatusTemporaryRedirect))
	t.Cleanup(away.Close)
	s = w.source(t, config.OAuth{ClientSecret: clientSecret, TokenURL: away.URL})
	if _, err := post(t, s, w.server.URL+"/mcp"); err == nil || !strings.Contains(err.Error(), "it redirects") || len(other.requests) > 0 {
		t.Errorf("error %v; the other was asked %v", err, other.requests)
	}
}

package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"

	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/oauth/vault"
)

// memory is a Keeper that a test looks into; a Write fails while broken is set.
type memory struct {
	mu      sync.Mutex
	kept    map[vault.Binding][]byte
	broken  error
	unread  error
	usedUp  string
	written int
}

func (m *memory) Read(b vault.Binding, into any) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.unread != nil {
		return m.unread
	}
	content, ok := m.kept[b]
	if !ok {
		return vault.ErrNone
	}
	return json.Unmarshal(content, into)
}

func (m *memory) UsedUp(_ vault.Binding, refreshToken string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.usedUp == refreshToken
}

func (m *memory) Write(b vault.Binding, value any, usedUp string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return m.broken
	}
	content, err := json.Marshal(value)
	m.kept = map[vault.Binding][]byte{b: content}
	m.written++
	m.usedUp = usedUp
	return err
}

func (m *memory) breaks(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = err
}

func (m *memory) hides(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unread = err
}

// journal is a log that a test reads.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) logger() logr.Logger {
	return funcr.New(func(_, line string) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.lines = append(j.lines, line)
	}, funcr.Options{})
}

func (j *journal) with(words string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.lines {
		if strings.Contains(line, words) {
			n++
		}
	}
	return n
}

// started is a Source as a start of Jobwright makes it.
func (w *world) started(t *testing.T, c config.OAuth, tokens *Tokens) *Source {
	t.Helper()
	c.ClientID = clientID
	s, err := New(c, "crm", w.server.URL+"/mcp", http.DefaultTransport, Options{Tokens: tokens, Asked: func(error) {}, Found: func(string, string) {}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rotate has the authorization server replace the refresh token with each use, and refuse
// those that were used, and all of them after that.
func (w *world) rotate(first string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refresh = first
}

func (w *world) asked() (tokens []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.requests {
		tokens = append(tokens, r.Get("refresh_token"))
	}
	return tokens
}

// expire has the server refuse every access token it has taken so far.
func (w *world) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.given)
}

func works(t *testing.T, s *Source, w *world) {
	t.Helper()
	if got, err := post(t, s, w.server.URL+"/mcp"); err != nil || got != "200 got hello" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestATokenOutlivesARestart(t *testing.T) {
	for name, tt := range map[string]struct {
		config config.OAuth
		after  func(w *world)
		asked  int // how often in all
	}{
		"an access token that is good":                   {config.OAuth{RefreshToken: "first"}, func(*world) {}, 1},
		"one of the client's credentials":                {config.OAuth{ClientSecret: clientSecret}, func(*world) {}, 1},
		"an access token that is not taken any more":     {config.OAuth{RefreshToken: "first"}, (*world).expire, 2},
		"one of the client's credentials that is not":    {config.OAuth{ClientSecret: clientSecret}, (*world).expire, 2},
		"with the token endpoint in the operator's file": {config.OAuth{RefreshToken: "first", TokenURL: "ISSUER"}, (*world).expire, 2},
	} {
		t.Run(name, func(t *testing.T) {
			w, disk, log := newWorld(t), new(memory), new(journal)
			w.rotate("first")
			if tt.config.TokenURL != "" {
				tt.config.TokenURL = w.issuer.URL + "/get"
			}
			for range 3 {
				works(t, w.started(t, tt.config, NewTokens(disk, log.logger())), w)
			}
			tt.after(w)
			for range 3 {
				works(t, w.started(t, tt.config, NewTokens(disk, log.logger())), w)
			}
			if asked := w.asked(); len(asked) != tt.asked {
				t.Errorf("asked with %q", asked)
			}
			if len(log.lines) > 0 {
				t.Errorf("logged %q", log.lines)
			}
		})
	}
}

// TestAChangedDefinitionGoesOnWithTheTokens: a Source that replaces another has what that
// one got, with a Keeper and without.
func TestAChangedDefinitionGoesOnWithTheTokens(t *testing.T) {
	for name, keeper := range map[string]Keeper{"on disk": new(memory), "in memory": nil} {
		t.Run(name, func(t *testing.T) {
			w, log := newWorld(t), new(journal)
			w.rotate("first")
			tokens := NewTokens(keeper, log.logger())
			for _, change := range []config.OAuth{{RefreshToken: "first"}, {RefreshToken: "first", Scopes: []string{"a"}}, {RefreshToken: "first", Scopes: []string{"b"}}} {
				works(t, w.started(t, change, tokens), w)
			}
			if asked := w.asked(); len(asked) != 3 {
				t.Errorf("asked with %q", asked)
			}
			// That the token is lost at a restart is said once, and only if it is.
			if n := log.with("kept in memory only: after a restart"); (n == 1) != (keeper == nil) || n > 1 {
				t.Errorf("logged %q", log.lines)
			}
		})
	}
}

// TestTheOperatorsNewCredentialsAreUsed also when there are good tokens of the old ones.
func TestTheOperatorsNewCredentialsAreUsed(t *testing.T) {
	for name, change := range map[string]config.OAuth{
		"a refresh token": {RefreshToken: "second"}, "a client's secret": {ClientSecret: "another/secret"},
	} {
		t.Run(name, func(t *testing.T) {
			w, disk, log := newWorld(t), new(memory), new(journal)
			works(t, w.started(t, config.OAuth{RefreshToken: "first"}, NewTokens(disk, log.logger())), w)
			works(t, w.started(t, change, NewTokens(disk, log.logger())), w)
			if asked := w.asked(); !slices.Equal(asked, []string{"first", change.RefreshToken}) {
				t.Errorf("asked with %q", asked)
			}
			if log.with("belongs to other settings") != 1 {
				t.Errorf("logged %q", log.lines)
			}
		})
	}
}

// TestWhatCannotBeReadIsRequestedAnew unless that could make the authorization server revoke
// what cannot be read.
func TestWhatCannotBeReadIsRequestedAnew(t *testing.T) {
	secret, refresh := config.OAuth{ClientSecret: clientSecret}, config.OAuth{RefreshToken: "first"}
	notSent := "the refresh token of the operator's file was not sent, because a newer one is kept, which cannot be read: "
	for name, tt := range map[string]struct {
		disk   *memory
		config config.OAuth
		asked  int
		fails  string
	}{
		"another key, with the client's credentials":          {&memory{unread: vault.ErrKey}, secret, 1, ""},
		"a disk that fails, with the client's credentials":    {&memory{unread: os.ErrPermission}, secret, 1, ""},
		"another key, and a refresh token that is replaced":   {&memory{unread: vault.ErrKey, usedUp: "first"}, refresh, 0, notSent + vault.ErrKey.Error()},
		"no key, and a refresh token that is replaced":        {&memory{unread: vault.ErrNoKey, usedUp: "first"}, refresh, 0, notSent + vault.ErrNoKey.Error()},
		"a damaged file, and a token that is replaced":        {&memory{unread: vault.ErrDamaged, usedUp: "first"}, refresh, 0, notSent + vault.ErrDamaged.Error()},
		"a disk that fails, and a token that may be":          {&memory{unread: os.ErrPermission}, refresh, 0, notSent + "permission denied"},
		"another key, and a refresh token that is not":        {&memory{unread: vault.ErrKey}, refresh, 1, ""},
		"a damaged file that does not say what is replaced":   {&memory{unread: vault.ErrDamaged}, refresh, 1, ""},
		"another key, and a new token in the operator's file": {&memory{unread: vault.ErrKey, usedUp: "zeroth"}, refresh, 1, ""},
		"a damaged file, and a token that somebody has used":  {&memory{unread: vault.ErrDamaged}, config.OAuth{RefreshToken: "used"}, 1, "the refresh token of the operator's file is used up, or is not taken any more: put a new one there"},
	} {
		t.Run(name, func(t *testing.T) {
			w, log := newWorld(t), new(journal)
			w.rotate("first")
			s := w.started(t, tt.config, NewTokens(tt.disk, log.logger()))
			got, err := post(t, s, w.server.URL+"/mcp")
			if tt.fails == "" && (err != nil || got != "200 got hello") || tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)) {
				t.Errorf("%q, %v", got, err)
			}
			_, _ = post(t, s, w.server.URL+"/mcp")
			if asked := w.asked(); len(asked) != tt.asked && tt.config.RefreshToken != "used" {
				t.Errorf("asked with %q", asked)
			}
			if log.with("cannot be read; a new one is requested") != 1 {
				t.Errorf("logged %q", log.lines)
			}
		})
	}
}

// TestADiskThatFailsIsReadAgain: what is kept is found once it can be read.
func TestADiskThatFailsIsReadAgain(t *testing.T) {
	w, disk := newWorld(t), new(memory)
	w.rotate("first")
	works(t, w.started(t, config.OAuth{RefreshToken: "first"}, NewTokens(disk, logr.Discard())), w)
	disk.hides(os.ErrPermission)
	s := w.started(t, config.OAuth{RefreshToken: "first"}, NewTokens(disk, logr.Discard()))
	if got, err := post(t, s, w.server.URL+"/mcp"); err == nil {
		t.Errorf("%q", got)
	}
	disk.hides(nil)
	works(t, s, w)
	if asked := w.asked(); len(asked) != 1 {
		t.Errorf("asked with %q", asked)
	}
}

// TestATokenIsOnDiskBeforeItIsUsed: the server sees no access token that is not kept with
// its refresh token.
func TestATokenIsOnDiskBeforeItIsUsed(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	w.rotate("first")
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := vault.LoadKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	disk, err := vault.Open(filepath.Join(dir, "tokens"), keys)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	w.before = func(token string) {
		if token == "" {
			return
		}
		var kept grant
		err := disk.Read(vault.Binding{Server: "crm", Issuer: w.issuer.URL, TokenEndpoint: w.issuer.URL + "/get", Client: clientID}, &kept)
		if err != nil || kept.AccessToken != token || kept.RefreshToken != w.refresh {
			t.Errorf("the server sees %q while %+v is kept (%v)", token, kept, err)
		}
		seen++
	}
	for range 4 {
		works(t, w.started(t, config.OAuth{RefreshToken: "first"}, NewTokens(disk, logr.Discard())), w)
		w.expire()
	}
	asked := w.asked()
	w.mu.Lock()
	defer w.mu.Unlock()
	if seen < 4 || len(asked) != 4 {
		t.Errorf("%d tokens seen, asked with %q", seen, asked)
	}
}

// TestADiskThatIsFullLosesNothingWhileTheServerRuns: the token is used, and kept as soon as
// there is room.
func TestADiskThatIsFullLosesNothingWhileTheServerRuns(t *testing.T) {
	disk, log := &memory{broken: errors.New("no space left on device")}, new(journal)
	synctest.Test(t, func(t *testing.T) {
		a := NewTokens(disk, log.logger()).account("crm")
		o := owner{binding: vault.Binding{Server: "crm"}, credentials: "c"}
		request := func() answer {
			return a.alone(t.Context(), func() answer {
				a.save(o)
				if g := a.load(o); g.valid("r") {
					return answer{token: g.AccessToken}
				}
				a.take(o, grant{Credentials: "c", Request: "r", AccessToken: "access", RefreshToken: "next"}, "first")
				return answer{token: "access", fresh: true}
			})
		}
		if got := request(); got.token != "access" || got.err != nil {
			t.Errorf("got %+v", got)
		}
		if _, settled := a.known(o); !settled {
			t.Error("a write is tried again at once")
		}
		time.Sleep(saveAgain)
		if _, settled := a.known(o); settled {
			t.Error("no write is tried again")
		}
		request()
		disk.breaks(nil)
		time.Sleep(saveAgain)
		request()
		request()
		if g, settled := a.known(o); !settled || g.RefreshToken != "next" || disk.written != 1 {
			t.Errorf("%+v, %t, %d writes", g, settled, disk.written)
		}
		if n := log.with("no space left on device"); n != 2 {
			t.Errorf("logged %q", log.lines)
		}
	})
}

// TestACanceledRequestLosesNoRefreshToken: the token endpoint answers when nobody waits for
// it any more, and Close waits for the answer.
func TestACanceledRequestLosesNoRefreshToken(t *testing.T) {
	w, disk := newWorld(t), new(memory)
	w.rotate("first")
	tokens := NewTokens(disk, logr.Discard())
	s := w.started(t, config.OAuth{RefreshToken: "first"}, tokens)
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	w.endpoint = func() { cancel(); <-release }
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+"/mcp", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.Transport(http.DefaultTransport).RoundTrip(request)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if response != nil {
		response.Body.Close()
	}
	close(release)
	tokens.Close()
	if disk.written != 1 {
		t.Fatalf("%d writes", disk.written)
	}
	w.mu.Lock()
	w.endpoint = nil
	w.mu.Unlock()
	works(t, w.started(t, config.OAuth{RefreshToken: "first"}, NewTokens(disk, logr.Discard())), w)
	if asked := w.asked(); len(asked) != 1 {
		t.Errorf("asked with %q", asked)
	}
	w.expire()
	if _, err := post(t, s, w.server.URL+"/mcp"); err == nil || !strings.Contains(err.Error(), "the server is shutting down") {
		t.Errorf("after Close: %v", err)
	}
}

// TestScopesOfTheOperatorAreRequestedWhereTheTokenEndpointIsKnown.
func TestScopesOfTheOperatorAreRequestedWhereTheTokenEndpointIsKnown(t *testing.T) {
	w := newWorld(t)
	works(t, w.source(t, config.OAuth{ClientSecret: clientSecret, TokenURL: w.issuer.URL + "/get", Scopes: []string{"a", "b"}}), w)
	if got := w.requests[0].Get("scope"); got != "a b" {
		t.Errorf("asked for %q", got)
	}
}

// TestWithoutAKeyAReplacedRefreshTokenIsNotSent: the folder of an earlier start with a key is
// looked at by a start without one.
func TestWithoutAKeyAReplacedRefreshTokenIsNotSent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(strings.Repeat("1", 44)), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := vault.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "tokens")
	start := func(w *world, keys *vault.Keys, log *journal, c config.OAuth) *Source {
		t.Helper()
		v, err := vault.Open(dir, keys)
		if err != nil {
			t.Fatal(err)
		}
		return w.started(t, c, NewTokens(v, log.logger()))
	}
	w, log := newWorld(t), new(journal)
	w.rotate("first")
	works(t, start(w, keys, log, config.OAuth{RefreshToken: "first"}), w)
	w.expire()
	bare := start(w, nil, log, config.OAuth{RefreshToken: "first"})
	for range 2 {
		if got, err := post(t, bare, w.server.URL+"/mcp"); err == nil || !strings.Contains(err.Error(), "started without --mcp-token-key-file") {
			t.Errorf("%q, %v", got, err)
		}
	}
	if asked := w.asked(); !slices.Equal(asked, []string{"first"}) {
		t.Errorf("asked with %q", asked)
	}
	works(t, start(w, keys, log, config.OAuth{RefreshToken: "first"}), w) // with the key it goes on
	w.expire()
	w.rotate("third")
	works(t, start(w, nil, log, config.OAuth{RefreshToken: "third"}), w) // a new one in the file is sent
	if n := log.with("kept in memory only: after a restart"); n != 1 {
		t.Errorf("logged %q", log.lines)
	}
}

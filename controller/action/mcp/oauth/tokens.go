package oauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/oauth2"

	"jobwright.dev/controller/action/mcp/oauth/vault"
)

// saveAgain is how long after a write that failed the next one is tried. A full disk does
// not get room within a request.
const saveAgain = 10 * time.Second

// Keeper keeps tokens beyond the end of the program. [vault.Vault] is one.
type Keeper interface {
	// Read decodes what was written for b. It returns vault.ErrNone if there is nothing.
	Read(b vault.Binding, into any) error
	// Write returns when the value is on the disk. usedUp is the refresh token that it replaces.
	// It returns vault.ErrNoKey if nothing can be kept.
	Write(b vault.Binding, value any, usedUp string) error
	// UsedUp reports whether a refresh token was replaced, also if what was written cannot be
	// read.
	UsedUp(b vault.Binding, refreshToken string) bool
}

// Tokens are the tokens of all servers. They outlive the Sources that use them: a server
// whose definition changes gets a new Source, and goes on with the refresh token that its
// authorization server gave last.
type Tokens struct {
	keeper Keeper // nil: tokens are kept in memory only
	log    logr.Logger

	mu       sync.Mutex
	accounts map[string]*account
	closed   bool
	requests sync.WaitGroup // for tokens
}

// NewTokens returns the tokens that a keeper has; without one they are kept in memory only.
func NewTokens(keeper Keeper, log logr.Logger) *Tokens {
	return &Tokens{keeper: keeper, log: log, accounts: map[string]*account{}}
}

// Close returns when no request for a token is under way, and has those that come later
// refused. A request ends within requestTime.
func (t *Tokens) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.requests.Wait()
}

// begin starts work that Close waits for.
func (t *Tokens) begin(work func()) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return errors.New("the server is shutting down")
	}
	t.requests.Go(work)
	return nil
}

// account is the account of one server.
func (t *Tokens) account(server string) *account {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, ok := t.accounts[server]
	if !ok {
		a = &account{tokens: t, keeper: t.keeper, log: t.log.WithValues("server", server), turn: make(chan struct{}, 1)}
		t.accounts[server] = a
	}
	return a
}

// account is what Jobwright has from the authorization server of one MCP server.
type account struct {
	tokens *Tokens
	keeper Keeper
	log    logr.Logger
	turn   chan struct{} // holds one element while somebody works alone

	mu      sync.Mutex
	owner   owner
	read    bool  // the keeper was asked for the owner's tokens
	problem error // why the keeper could not give them
	grant   grant
	failed  time.Time // of the last write, if it failed
	warned  bool      // that a refresh token is kept in memory only
}

// owner is whom tokens were given to. Tokens of another owner are not used.
type owner struct {
	binding vault.Binding
	// credentials is a digest of the client's own, with the refresh token of the operator's
	// file: whoever replaces them there has them used at once.
	credentials string
	// refresh is the refresh token of the operator's file.
	refresh string
}

// replaced is the refresh token of the operator's file if a grant has a newer one.
func (o owner) replaced(g grant) string {
	if g.RefreshToken == o.refresh {
		return ""
	}
	return o.refresh
}

// grant is what an authorization server has given, as it is kept.
type grant struct {
	Credentials  string    `json:"credentials"`
	Request      string    `json:"request"` // a digest of what the access token was requested for
	Scopes       []string  `json:"scopes,omitempty"`
	AccessToken  string    `json:"accessToken"`
	Expiry       time.Time `json:"expiry,omitzero"`
	RefreshToken string    `json:"refreshToken,omitempty"`
}

// valid reports whether the access token may be used for a request, for a while yet.
func (g grant) valid(request string) bool {
	return g.AccessToken != "" && g.Request == request && (g.Expiry.IsZero() || time.Until(g.Expiry) > early)
}

// known is the owner's grant if it is in memory.
func (a *account) known(o owner) (grant, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.owner != o || !a.read {
		return grant{}, false
	}
	return a.grant, a.failed.IsZero() || time.Since(a.failed) < saveAgain
}

// load is the owner's grant, from memory or else from the keeper. The caller works alone.
func (a *account) load(o owner) grant {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.owner == o && a.read {
		return a.grant
	}
	before := a.problem
	a.owner, a.read, a.grant, a.problem, a.failed = o, true, grant{}, nil, time.Time{}
	if a.keeper == nil {
		return grant{}
	}
	var kept grant
	err := a.keeper.Read(o.binding, &kept)
	switch {
	case err == nil && kept.Credentials == o.credentials:
		a.grant = kept
	case err == nil, errors.Is(err, vault.ErrAnother):
		a.log.Info("the token that is kept for an MCP server belongs to other settings of its oauth, and is not used")
	case !errors.Is(err, vault.ErrNone):
		a.problem = err
		a.read = errors.Is(err, vault.ErrKey) || errors.Is(err, vault.ErrNoKey) || errors.Is(err, vault.ErrDamaged) // else it may be read the next time
		if before == nil || before.Error() != err.Error() {
			a.log.Error(err, "the token that is kept for an MCP server cannot be read; a new one is requested where the refresh token of the operator's file was not replaced")
		}
	}
	return a.grant
}

// mayAsk is why the refresh token of the operator's file must not be sent: a newer one is
// kept, or may be, and the authorization server may revoke that one when it sees the old.
func (a *account) mayAsk(o owner, refresh string) error {
	a.mu.Lock()
	problem, unsure := a.problem, !a.read
	a.mu.Unlock()
	if problem == nil || refresh == "" || !unsure && !a.keeper.UsedUp(o.binding, refresh) {
		return nil
	}
	return fmt.Errorf("the refresh token of the operator's file was not sent, because a newer one is kept, which cannot be read: %w; mend that, or put a new refresh token into the operator's file", problem)
}

// take makes g the owner's grant, got with a refresh token or without. When it returns, g is
// kept, or the log says why not: the token is used nevertheless, because the refresh token
// before it is used up already. The caller works alone.
func (a *account) take(o owner, g grant, refresh string) {
	keeps, failed := a.write(o, g)
	a.mu.Lock()
	defer a.mu.Unlock()
	if !keeps && g.RefreshToken != refresh && !a.warned {
		a.warned = true
		a.log.Info("the authorization server of an MCP server gives a new refresh token with each use, which is kept in memory only: after a restart the one in the operator's file is used up; set --mcp-token-key-file to keep it")
	}
	a.owner, a.read, a.grant, a.problem, a.failed = o, true, g, nil, failed
}

// save tries once more to keep what could not be kept. The caller works alone.
func (a *account) save(o owner) {
	a.mu.Lock()
	g, due := a.grant, a.owner == o && !a.failed.IsZero() && time.Since(a.failed) >= saveAgain
	a.mu.Unlock()
	if !due {
		return
	}
	_, failed := a.write(o, g)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = failed
}

// write writes g. keeps tells that tokens are written at all; failed is when this write
// failed, and zero if it did not.
func (a *account) write(o owner, g grant) (keeps bool, failed time.Time) {
	if a.keeper == nil {
		return false, time.Time{}
	}
	err := a.keeper.Write(o.binding, g, o.replaced(g))
	switch {
	case errors.Is(err, vault.ErrNoKey):
		return false, time.Time{}
	case err != nil:
		a.log.Error(err, "the token of an MCP server is in memory only; with a refresh token that was replaced, a restart needs a new one in the operator's file", "againAfter", saveAgain.String())
		return true, time.Now()
	}
	return true, time.Time{}
}

// secrets are the tokens that no text may repeat.
func (a *account) secrets() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.DeleteFunc([]string{a.grant.AccessToken, a.grant.RefreshToken}, func(s string) bool { return s == "" })
}

// answer is a token, or why there is none.
type answer struct {
	token string
	fresh bool // it was requested just now
	err   error
}

// alone does work that no other request for a token may run beside. The work goes on when ctx
// ends: a token endpoint that has answered has replaced the refresh token, and an answer that
// nobody reads would lose the new one.
func (a *account) alone(ctx context.Context, work func() answer) answer {
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return answer{err: context.Cause(ctx)}
	}
	done := make(chan answer, 1)
	err := a.tokens.begin(func() {
		defer func() { <-a.turn }()
		done <- work()
	})
	if err != nil {
		<-a.turn
		return answer{err: err}
	}
	select {
	case got := <-done:
		return got
	case <-ctx.Done():
		return answer{err: context.Cause(ctx)}
	}
}

// granted is the grant that a token endpoint's answer makes of the one before.
// It has a refresh token only if it was got with one.
func granted(o owner, request string, scopes []string, token *oauth2.Token, refresh string) grant {
	g := grant{Credentials: o.credentials, Request: request, Scopes: scopes, AccessToken: token.AccessToken, Expiry: token.Expiry, RefreshToken: refresh}
	if refresh != "" && token.RefreshToken != "" {
		g.RefreshToken = token.RefreshToken
	}
	if !bearer(token) {
		g.AccessToken = ""
	}
	return g
}

func bearer(token *oauth2.Token) bool { return strings.EqualFold(token.Type(), "Bearer") }

package oauth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"jobwright.dev/controller/action/mcp/config"
)

// assertionTime is how long an assertion of the client's identity is good for: one request.
const assertionTime = 2 * time.Minute

// get requests a token from the token endpoint, and keeps it before it is used. The caller
// works alone.
func (s *Source) get(ctx context.Context, found *endpoints, scopes []string) answer {
	owner := s.owner(found)
	refresh := s.account.load(owner).RefreshToken
	if refresh == "" {
		refresh = s.config.RefreshToken
		if err := s.account.mayAsk(owner, refresh); err != nil {
			s.options.Asked(err)
			return answer{err: err}
		}
	}
	token, err := s.ask(context.WithoutCancel(ctx), found, scopes, refresh)
	s.options.Asked(err)
	if err != nil {
		return answer{err: s.refused(err, found, refresh)}
	}
	s.account.take(owner, granted(owner, s.request(found), scopes, token, refresh), refresh)
	if !bearer(token) {
		return answer{err: fmt.Errorf("the token endpoint %s gave a token of type %q, and only Bearer is spoken", shown(found.token), token.Type())}
	}
	return answer{token: token.AccessToken, fresh: true}
}

// ask is one request to the token endpoint.
func (s *Source) ask(ctx context.Context, found *endpoints, scopes []string, refresh string) (*oauth2.Token, error) {
	request := &clientcredentials.Config{ClientID: s.config.ClientID, TokenURL: found.token, Scopes: scopes, EndpointParams: url.Values{}}
	if resource := s.resource(found); resource != "" {
		request.EndpointParams.Set("resource", resource) // RFC 8707
	}
	if s.config.Audience != "" {
		request.EndpointParams.Set("audience", s.config.Audience)
	}
	if refresh != "" {
		request.EndpointParams.Set("grant_type", "refresh_token")
		request.EndpointParams.Set("refresh_token", refresh)
	}
	if err := s.identify(request, found); err != nil {
		return nil, err
	}
	return request.Token(context.WithValue(ctx, oauth2.HTTPClient, s.client))
}

func (s *Source) resource(found *endpoints) string {
	switch {
	case s.config.NoResource:
		return ""
	case s.config.Resource != "":
		return s.config.Resource
	}
	return found.resource
}

// identify proves to the token endpoint who the client is.
func (s *Source) identify(request *clientcredentials.Config, found *endpoints) error {
	switch s.method(found) {
	case config.AuthPrivateKey:
		assertion, err := s.assertion(found)
		if err != nil {
			return err
		}
		request.AuthStyle = oauth2.AuthStyleInParams
		request.EndpointParams.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		request.EndpointParams.Set("client_assertion", assertion)
	case config.AuthBasic:
		request.AuthStyle, request.ClientSecret = oauth2.AuthStyleInHeader, s.config.ClientSecret
	case config.AuthPost:
		request.AuthStyle, request.ClientSecret = oauth2.AuthStyleInParams, s.config.ClientSecret
	default:
		request.AuthStyle = oauth2.AuthStyleInParams
	}
	return nil
}

// method is how the client proves who it is.
func (s *Source) method(found *endpoints) string {
	switch {
	case s.config.AuthMethod != "":
		return s.config.AuthMethod
	case s.key != nil:
		return config.AuthPrivateKey
	case s.config.ClientSecret == "":
		return config.AuthNone
	case len(found.methods) == 0 || slices.Contains(found.methods, config.AuthBasic):
		return config.AuthBasic // the default of RFC 8414
	case slices.Contains(found.methods, config.AuthPost):
		return config.AuthPost
	}
	return config.AuthBasic
}

// assertion is signed by the client's key (RFC 7523).
func (s *Source) assertion(found *endpoints) (string, error) {
	audience := found.issuer
	if audience == "" {
		audience = found.token
	}
	now := time.Now()
	token := jwt.NewWithClaims(jwt.GetSigningMethod(s.algorithm), jwt.RegisteredClaims{
		Issuer: s.config.ClientID, Subject: s.config.ClientID, Audience: jwt.ClaimStrings{audience},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(assertionTime)), ID: rand.Text(),
	})
	if s.config.KeyID != "" {
		token.Header["kid"] = s.config.KeyID
	}
	signed, err := token.SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("sign the assertion of the client: %w", err)
	}
	return signed, nil
}

// refused says why there is no token for a refresh token or the client, without what the answer may repeat of the request.
func (s *Source) refused(err error, found *endpoints, refresh string) error {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return fmt.Errorf("the token endpoint %s: %s", shown(found.token), s.Redact(short(withoutURL(err))))
	}
	what := answer.ErrorCode
	if answer.ErrorDescription != "" {
		what += ": " + answer.ErrorDescription
	}
	if what == "" {
		what = string(answer.Body)
	}
	status := 0
	if answer.Response != nil {
		status = answer.Response.StatusCode
	}
	said := fmt.Sprintf("the token endpoint %s answered HTTP %d", shown(found.token), status)
	if what != "" {
		said += ": " + s.Redact(short(what))
	}
	if answer.ErrorCode == "invalid_grant" && refresh != "" {
		said += "; " + s.lapsed(refresh)
	}
	return errors.New(said)
}

// lapsed says what to do about a refresh token that is not taken.
func (s *Source) lapsed(refresh string) string {
	if refresh != s.config.RefreshToken {
		return "the refresh token that the authorization server gave last is used up, or is not taken any more: put a new one into the operator's file"
	}
	return "the refresh token of the operator's file is used up, or is not taken any more: put a new one there"
}

// withoutURL is the cause of a request's error; its URL is said beside.
func withoutURL(err error) string {
	if request, ok := errors.AsType[*url.Error](err); ok {
		return request.Err.Error()
	}
	return err.Error()
}

// short is the head of a text that may be long.
func short(text string) string {
	const most = 500
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// shown is an address without its query.
func shown(address string) string {
	before, _, _ := strings.Cut(address, "?")
	return before
}

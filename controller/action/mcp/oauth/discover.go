package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// maxMetadata bounds a document of metadata.
const maxMetadata = 1 << 20

// endpoints are what was found out about a server's authorization.
type endpoints struct {
	token, issuer string
	// resource is the server's name for the authorization server.
	resource string
	// scopes are those that the server knows, methods the ways to prove who one is.
	scopes, methods []string
}

// errNotThere is why there is no metadata at an address.
var errNotThere = errors.New("there is none")

// discover finds the token endpoint: from the server to its metadata, and from there to
// that of its authorization server. A server without metadata is its own authorization
// server, as in protocol 2025-03-26.
func (s *Source) discover(ctx context.Context, said []oauthex.Challenge) (*endpoints, error) {
	about, err := s.protectedResource(ctx, said)
	if err != nil {
		return nil, err
	}
	issuer := s.config.Issuer
	switch {
	case issuer != "" && len(about.AuthorizationServers) > 0 && !slices.ContainsFunc(about.AuthorizationServers, func(other string) bool { return same(other, issuer) }):
		return nil, fmt.Errorf("the server names the authorization servers %s, and the operator's file %s", short(strings.Join(about.AuthorizationServers, ", ")), issuer)
	case issuer == "" && len(about.AuthorizationServers) > 0:
		issuer = about.AuthorizationServers[0]
	case issuer == "":
		return nil, errors.New("the server's metadata names no authorization server; write issuer or tokenUrl in the operator's file")
	}
	meta, err := s.authorizationServer(ctx, issuer)
	if err != nil {
		return nil, err
	}
	return &endpoints{
		token: meta.TokenEndpoint, issuer: meta.Issuer, resource: about.Resource,
		scopes: about.ScopesSupported, methods: meta.TokenEndpointAuthMethodsSupported,
	}, nil
}

// protectedResource is the server's own metadata (RFC 9728): where its answer says, or at
// its well-known addresses.
func (s *Source) protectedResource(ctx context.Context, said []oauthex.Challenge) (*oauthex.ProtectedResourceMetadata, error) {
	var addresses []string
	for _, c := range said {
		if address := c.Params["resource_metadata"]; address != "" {
			addresses = append(addresses, address)
		}
	}
	addresses = append(addresses, wellKnown(s.server, "oauth-protected-resource")...)
	for _, address := range addresses {
		about := new(oauthex.ProtectedResourceMetadata)
		err := s.read(ctx, address, about)
		if errors.Is(err, errNotThere) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the server's metadata at %s: %w", shown(address), err)
		}
		if !s.isAbout(about.Resource) {
			return nil, fmt.Errorf("the metadata at %s is about %q, and not about this server", shown(address), short(about.Resource))
		}
		return about, nil
	}
	own := url.URL{Scheme: s.server.Scheme, Host: s.server.Host}
	return &oauthex.ProtectedResourceMetadata{AuthorizationServers: []string{own.String()}, Resource: withoutQuery(s.server)}, nil
}

// isAbout reports whether a resource is the server: its address, or one above it.
func (s *Source) isAbout(resource string) bool {
	u, err := url.Parse(resource)
	if err != nil || !strings.EqualFold(u.Scheme, s.server.Scheme) || !strings.EqualFold(u.Host, s.server.Host) {
		return false
	}
	above := strings.TrimSuffix(u.Path, "/")
	return above == strings.TrimSuffix(s.server.Path, "/") || strings.HasPrefix(s.server.Path, above+"/")
}

// authorizationServer is the metadata of an authorization server (RFC 8414, or OpenID
// Connect Discovery). One that has none has its token endpoint at /token, as in protocol
// 2025-03-26.
func (s *Source) authorizationServer(ctx context.Context, issuer string) (*oauthex.AuthServerMeta, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("the authorization server %q is no URL", short(issuer))
	}
	addresses := wellKnown(u, "oauth-authorization-server")[:1]
	addresses = append(addresses, wellKnown(u, "openid-configuration")[:1]...)
	if path := strings.TrimSuffix(u.Path, "/"); path != "" {
		appended := url.URL{Scheme: u.Scheme, Host: u.Host, Path: path + "/.well-known/openid-configuration"}
		addresses = append(addresses, appended.String())
	}
	for _, address := range addresses {
		meta := new(oauthex.AuthServerMeta)
		err := s.read(ctx, address, meta)
		if errors.Is(err, errNotThere) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the metadata of the authorization server at %s: %w", shown(address), err)
		}
		if !same(meta.Issuer, issuer) {
			return nil, fmt.Errorf("the metadata at %s is that of %q, and not of %s", shown(address), short(meta.Issuer), issuer)
		}
		if err := safe(meta.TokenEndpoint); err != nil {
			return nil, fmt.Errorf("the token endpoint in the metadata at %s: %w", shown(address), err)
		}
		return meta, nil
	}
	token := strings.TrimSuffix(issuer, "/") + "/token"
	if err := safe(token); err != nil {
		return nil, fmt.Errorf("the token endpoint %s: %w", shown(token), err)
	}
	return &oauthex.AuthServerMeta{Issuer: issuer, TokenEndpoint: token}, nil
}

// wellKnown are the addresses of metadata: with the path of what it is about, and without.
func wellKnown(about *url.URL, name string) []string {
	root := url.URL{Scheme: about.Scheme, Host: about.Host, Path: "/.well-known/" + name}
	path := strings.Trim(about.Path, "/")
	if path == "" {
		return []string{root.String()}
	}
	deeper := root
	deeper.Path += "/" + path
	return []string{deeper.String(), root.String()}
}

// read reads a document of metadata.
func (s *Source) read(ctx context.Context, address string, into any) error {
	if err := safe(address); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return errors.New(short(withoutURL(err)))
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode >= 400 && response.StatusCode < 500:
		return errNotThere
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("HTTP %d", response.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxMetadata+1))
	if err != nil {
		return err
	}
	if len(data) > maxMetadata {
		return fmt.Errorf("it has more than %d bytes", maxMetadata)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("it is no such metadata: %w", err)
	}
	return nil
}

// safe refuses addresses to which a secret would go in the clear.
func safe(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return errors.New("it is no URL")
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return errors.New("it must be https, unless it is a loopback address")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// same compares issuers, which some write with a slash at the end.
func same(a, b string) bool { return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") }

func withoutQuery(u *url.URL) string {
	plain := *u
	plain.RawQuery, plain.Fragment = "", ""
	return plain.String()
}

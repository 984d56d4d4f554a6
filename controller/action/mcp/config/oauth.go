package config

import (
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
)

// OAuth is how Jobwright gets tokens for a server behind HTTP, without a person.
type OAuth struct {
	ClientID     string
	ClientSecret string
	// PrivateKey, in PEM, signs the client's assertions (private_key_jwt), with the algorithm
	// of the key's type unless Algorithm names another. KeyID, if set, goes with them.
	PrivateKey       string
	Algorithm, KeyID string
	// RefreshToken is exchanged for tokens in place of the client's own credentials.
	RefreshToken string
	// Scopes are asked for. Unset: those that the server wants.
	Scopes []string
	// TokenURL and Issuer replace what is found out from the server's metadata.
	TokenURL, Issuer string
	// Resource is the server's name for the authorization server. Unset: what the server's
	// metadata says. NoResource keeps it from being sent, for those that do not take it.
	Resource   string
	NoResource bool
	// Audience is sent where an authorization server wants one.
	Audience string
	// AuthMethod is how the client proves who it is. Unset: the first of
	// client_secret_basic and client_secret_post that the authorization server takes.
	AuthMethod string
}

// The ways in which a client proves who it is (RFC 7591).
const (
	AuthBasic      = "client_secret_basic"
	AuthPost       = "client_secret_post"
	AuthPrivateKey = "private_key_jwt"
	AuthNone       = "none"
)

// oauth reads the keys that VS Code, Claude Code and Gemini CLI share, and our own.
func (r *reader) oauth(n node) {
	members, ok := n.object()
	if !ok {
		r.wrong(n, "it is %s, and must be an object", n.kind())
		return
	}
	if enabled, ok := n.get("enabled"); ok && !r.boolean(enabled) {
		return
	}
	o := &OAuth{}
	for _, m := range members {
		r.oauthKey(o, m)
	}
	r.server.OAuth = o
	r.completeOAuth(n)
}

func (r *reader) oauthKey(o *OAuth, m member) {
	text := func(into *string) { *into = r.expanded(m.node, r.env.value) }
	switch m.name {
	case "enabled", "redirectUri", "callbackPort", "authorizationUrl", "registrationUrl": // of the flow with a browser
	case "clientId", "client_id":
		text(&o.ClientID)
	case "clientSecret", "client_secret":
		r.secret(m.node, &o.ClientSecret)
	case "clientSecretFile":
		r.secretFile(m.node, &o.ClientSecret)
	case "privateKey":
		r.secret(m.node, &o.PrivateKey)
	case "privateKeyFile":
		r.secretFile(m.node, &o.PrivateKey)
	case "refreshToken":
		r.secret(m.node, &o.RefreshToken)
	case "refreshTokenFile":
		r.secretFile(m.node, &o.RefreshToken)
	case "algorithm", "signingAlgorithm":
		text(&o.Algorithm)
	case "keyId":
		text(&o.KeyID)
	case "scopes", "scope":
		o.Scopes = r.scopes(m.node)
	case "tokenUrl":
		text(&o.TokenURL)
		r.absolute(m.node, o.TokenURL)
		if u, err := url.Parse(o.TokenURL); err == nil && u.Scheme == "http" && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback() {
			r.wrong(m.node, "Invalid value: the client's secret goes there; it must be https, unless it is a loopback address")
		}
	case "issuer", "authorizationServer":
		text(&o.Issuer)
		r.absolute(m.node, o.Issuer)
	case "resource":
		if text(&o.Resource); o.Resource == "" {
			o.NoResource = true
			return
		}
		r.absolute(m.node, o.Resource)
	case "audience":
		text(&o.Audience)
	case "tokenEndpointAuthMethod":
		text(&o.AuthMethod)
		if known := []string{AuthBasic, AuthPost, AuthPrivateKey, AuthNone}; !slices.Contains(known, o.AuthMethod) {
			r.wrong(m.node, "Unsupported value: supported values: %s", strings.Join(known, ", "))
		}
	default:
		r.unknownKey(m, "clientId", "clientSecret", "clientSecretFile", "privateKey", "privateKeyFile", "refreshToken", "refreshTokenFile", "algorithm", "keyId", "scopes", "tokenUrl", "issuer", "resource", "audience", "tokenEndpointAuthMethod")
	}
}

// completeOAuth checks what the keys say together.
func (r *reader) completeOAuth(n node) {
	o := r.server.OAuth
	switch {
	case r.troubled(n):
	case o.ClientID == "":
		r.wrong(n, "clientId: Required value: the name that the authorization server has given to Jobwright")
	case o.ClientSecret == "" && o.PrivateKey == "" && o.RefreshToken == "":
		r.wrong(n, "it needs a person with a browser; give clientSecret, privateKeyFile or refreshToken")
	case o.PrivateKey != "":
		if _, _, err := o.Signer(); err != nil {
			r.wrong(n, "privateKey: %v", err)
		}
	case o.AuthMethod == AuthPrivateKey && o.PrivateKey == "":
		r.wrong(n, "privateKeyFile: Required value: %s signs with it", AuthPrivateKey)
	case (o.AuthMethod == AuthBasic || o.AuthMethod == AuthPost) && o.ClientSecret == "":
		r.wrong(n, "clientSecret: Required value: %s sends it", o.AuthMethod)
	}
}

// troubled reports whether something below a node is wrong already.
func (r *reader) troubled(n node) bool {
	return slices.ContainsFunc(r.server.Problems, func(p Problem) bool { return strings.HasPrefix(p.Field, n.path+".") })
}

// cursorAuth reads {CLIENT_ID, CLIENT_SECRET, scopes}, as Cursor has it.
func (r *reader) cursorAuth(n node) {
	members, ok := n.object()
	if !ok {
		r.wrong(n, "it is %s, and must be an object", n.kind())
		return
	}
	o := &OAuth{}
	for _, m := range members {
		switch m.name {
		case "CLIENT_ID":
			o.ClientID = r.expanded(m.node, r.env.value)
		case "CLIENT_SECRET":
			r.secret(m.node, &o.ClientSecret)
		case "scopes":
			o.Scopes = r.scopes(m.node)
		default:
			r.unknownKey(m, "CLIENT_ID", "CLIENT_SECRET", "scopes")
		}
	}
	r.server.OAuth = o
	r.completeOAuth(n)
}

// secret reads a text that must not stand in the file itself.
func (r *reader) secret(n node, into *string) {
	text, ok := n.text()
	if ok && !strings.Contains(text, "${") && !bareVariable.MatchString(text) {
		r.wrong(n, "it must not stand in the file: set a variable in Jobwright's environment and write ${NAME}, or name a file with %sFile", n.path[strings.LastIndexByte(n.path, '.')+1:])
		return
	}
	if *into = r.expanded(n, r.env.value); *into == "" && ok {
		r.wrong(n, "it is empty")
	}
}

// secretFile reads a secret from a file of its own; a line break at its end is not of it.
func (r *reader) secretFile(n node, into *string) {
	path := r.folder(n)
	if path == "" {
		return
	}
	const most = 64 << 10
	info, err := os.Stat(path)
	switch {
	case err != nil:
		r.wrongFile(n, path, "%v", plain(err))
		return
	case !info.Mode().IsRegular() || info.Size() > most:
		r.wrongFile(n, path, "it must be a file of at most %d bytes", most)
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		r.wrongFile(n, path, "%v", plain(err))
		return
	}
	if *into = strings.TrimRight(string(data), "\r\n"); *into == "" {
		r.wrongFile(n, path, "the file is empty")
	}
}

// scopes reads a list, or one string with spaces.
func (r *reader) scopes(n node) []string {
	if _, ok := n.text(); ok {
		return strings.Fields(r.expanded(n, r.env.expand))
	}
	return r.texts(n, r.env.expand)
}

func (r *reader) absolute(n node, text string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		r.wrong(n, "Invalid value: must be an absolute http or https URL")
	}
}

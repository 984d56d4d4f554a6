package config

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/textproto"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"jobwright.dev/store/filedb"
)

// kind reads type.
func (r *reader) kind(n node) {
	text, _ := n.text()
	var kind string
	switch strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(text)) {
	case "stdio", "local":
		kind = TypeStdio
	case "http", "streamablehttp", "streamable", "remote":
		kind = TypeHTTP
	case "sse":
		kind = TypeSSE
	default:
		r.wrong(n, `Unsupported value: %q: supported values: "stdio", "http", "streamable-http", "sse"`, text)
		return
	}
	if r.server.Type != "" && r.server.Type != kind {
		r.wrong(n, "type and transport do not agree: %s and %s", r.server.Type, kind)
	}
	r.server.Type = kind
}

// transport reads the transport of clients that write it in place of type, or as
// {type, url, headers}.
func (r *reader) transport(n node) {
	members, ok := n.object()
	if !ok {
		r.kind(n)
		return
	}
	for _, m := range members {
		switch m.name {
		case "type":
			r.kind(m.node)
		case "url":
			r.url(m.node, "")
		case "headers":
			r.headers(m.node)
		default:
			r.unknownKey(m, "type", "url", "headers")
		}
	}
}

// command reads a program: its name, or a list of the name and arguments (opencode), or
// {path, args, env} (Zed).
func (r *reader) command(n node) {
	if words, ok := n.list(); ok {
		if len(words) == 0 {
			r.wrong(n, "it is an empty list, and must begin with the program")
			return
		}
		all := r.texts(n, r.env.path)
		r.server.Args = append(all[1:len(all):len(all)], r.server.Args...)
		r.program(words[0])
		return
	}
	members, ok := n.object()
	if !ok {
		r.program(n)
		return
	}
	for _, m := range members {
		switch m.name {
		case "path":
			r.program(m.node)
		case "args":
			r.server.Args = append(r.server.Args, r.texts(m.node, r.env.path)...)
		case "env":
			if m.node.kind() != "null" {
				r.server.Env = r.values(m.node)
			}
		default:
			r.unknownKey(m, "path", "args", "env")
		}
	}
}

func (r *reader) program(n node) {
	path := r.expanded(n, r.env.path)
	if strings.Contains(path, "/") {
		// Relative to where Jobwright runs, whatever cwd says.
		absolute, err := filepath.Abs(path)
		if err != nil {
			r.wrong(n, "%v", err)
		}
		path = absolute
	}
	if windows(path) {
		r.warn(n, "it looks like a path of Windows")
	}
	r.server.Command = path
}

// windows reports whether a path begins with a drive's letter.
func windows(path string) bool {
	return len(path) > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/')
}

// url reads an address; the key may tell the type.
func (r *reader) url(n node, kind string) {
	if r.server.URL != "" {
		r.wrong(n, "there is another url already")
		return
	}
	text := r.expanded(n, r.env.expand)
	r.server.URL = text
	if text == "" {
		return // it is said why, or complete says that there is none
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		r.wrong(n, "Invalid value: must be an absolute http or https URL")
	case u.User != nil:
		r.wrong(n, "Invalid value: it holds a user or password, which would stand in messages; write headers with Authorization")
	case u.Fragment != "":
		r.wrong(n, "Invalid value: it must not have a fragment (#)")
	}
	if r.server.Type == "" {
		r.server.Type = kind
	}
}

func (r *reader) headers(n node) {
	out := r.pairs(n, r.env.header)
	members, _ := n.object()
	names := map[string]bool{}
	for _, m := range members {
		canonical := textproto.CanonicalMIMEHeaderKey(m.name)
		switch {
		case !httpguts.ValidHeaderFieldName(m.name):
			r.wrong(m.node, "it is no name of a header")
		case !httpguts.ValidHeaderFieldValue(out[m.name]):
			r.wrong(m.node, "its value has a line break or another control character; does the variable end with one?")
		case names[canonical]:
			r.wrong(m.node, "the header is there twice")
		case canonical == "Host" || canonical == "Content-Length" || canonical == "Transfer-Encoding" || canonical == "Connection":
			r.wrong(m.node, "the header is HTTP's own, and cannot be set")
		}
		names[canonical] = true
	}
	r.server.Headers = out
}

func (r *reader) caFile(n node) {
	path := r.folder(n)
	if path == "" {
		r.wrong(n, "it names no file")
		return
	}
	if _, err := Authorities(path); err != nil {
		r.wrong(n, "%v", err)
	}
	r.server.CAFile = path
}

// Authorities are the certificate authorities of a file in PEM. The error has no path.
func Authorities(path string) (*x509.CertPool, error) {
	data, err := filedb.ReadText(path, maxFile)
	if err != nil {
		return nil, plain(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, errors.New("the file has no certificate in PEM")
	}
	return pool, nil
}

// plain is an error of a file without its path, which is none of the clients' business.
func plain(err error) error {
	if broken, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", broken.Op, broken.Err)
	}
	return err
}

func (r *reader) roots(n node) {
	r.server.Roots = r.texts(n, r.env.path)
	for i, root := range r.server.Roots {
		absolute, err := filepath.Abs(root)
		if err != nil {
			r.wrong(n, "%v", err)
		}
		r.server.Roots[i] = absolute
	}
}

// complete decides what the keys leave open, and checks what they say together.
func (r *reader) complete(n node) {
	s := r.server
	if s.Type == "" {
		s.Type = TypeStdio
		if s.Command == "" && s.URL != "" {
			s.Type = TypeHTTP
			if u, err := url.Parse(s.URL); err == nil && strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/sse") {
				s.Type = TypeSSE // as the clients that write no type find out by asking
			}
		}
	}
	field := func(name string) node {
		if at, ok := n.get(name); ok {
			return at
		}
		at := n
		at.path = join(n.path, name)
		return at
	}
	if s.Type == TypeStdio {
		switch {
		case s.Command == "" && !r.said(n, "command"):
			r.wrong(field("command"), "Required value: the program of a stdio server, or url for one behind HTTP")
		case s.URL != "":
			r.wrong(field("url"), "command and url exclude each other")
		}
		for _, other := range []string{"headers", "oauth", "auth", "caFile"} {
			if at, ok := n.get(other); ok && !empty(at) {
				r.wrong(at, "it is for servers behind HTTP, and this one is a program")
			}
		}
		return
	}
	switch {
	case s.URL == "" && !r.said(n, "url", "serverUrl", "httpUrl", "transport"):
		r.wrong(field("url"), "Required value: the address of a server behind HTTP")
	case s.Command != "":
		r.wrong(field("command"), "command and url exclude each other")
	}
	if s.OAuth != nil {
		for name := range s.Headers {
			if strings.EqualFold(name, "Authorization") {
				r.wrong(field("headers"), "oauth sets the header Authorization as well; leave one of them out")
			}
		}
	}
	for _, other := range []string{"args", "env", "envFile", "cwd"} {
		if at, ok := n.get(other); ok && !empty(at) {
			r.wrong(at, "it is for programs, and this server is behind HTTP")
		}
	}
}

// said reports whether something is wrong with one of these keys already.
func (r *reader) said(n node, keys ...string) bool {
	return slices.ContainsFunc(r.server.Problems, func(p Problem) bool {
		rest, ok := strings.CutPrefix(p.Field, n.path+".")
		return ok && slices.ContainsFunc(keys, func(key string) bool { return strings.HasPrefix(rest, key) })
	})
}

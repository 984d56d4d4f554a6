package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jobwright.dev/api/strict"
	"jobwright.dev/store/filedb"
)

// Bounds of the operator's file, of what it names and of a proxy's login.
const (
	maxFile  = 1 << 20
	maxLogin = 4 << 10
	sessions = 64 // of TLS, to be resumed, for each entry
)

// entry is how the hosts of one key are called.
type entry struct {
	Proxy        string `json:"proxy,omitempty"`
	ProxyAuth    *login `json:"proxyAuth,omitempty"`
	CAFile       string `json:"caFile,omitempty"`
	CertFile     string `json:"certFile,omitempty"`
	KeyFile      string `json:"keyFile,omitempty"`
	AllowPrivate bool   `json:"allowPrivate,omitempty"`

	proxy *url.URL
	tls   *tls.Config
}

// login is where a proxy's user and password come from; exactly one is set.
type login struct {
	File string `json:"file,omitempty"`
	Env  string `json:"env,omitempty"`
}

// Hosts are the operator's settings by host. A nil one has none.
type Hosts struct {
	entries map[string]*entry
}

// Load reads the operator's file, YAML or JSON, and what it names.
func Load(path string) (*Hosts, error) {
	data, err := filedb.ReadText(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("--outbound: %w", err)
	}
	entries := map[string]*entry{}
	if err := strict.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("--outbound: %s: a map of hosts to {proxy, proxyAuth, caFile, certFile, keyFile, allowPrivate} is expected: %w", path, err)
	}
	hosts := &Hosts{entries: map[string]*entry{}}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		e := entries[key]
		if e == nil {
			e = &entry{}
		}
		if err := checkKey(key); err != nil {
			return nil, fmt.Errorf("--outbound: %s: %w", path, err)
		}
		if err := e.prepare(filepath.Dir(path)); err != nil {
			return nil, fmt.Errorf("--outbound: %s: %s: %w", path, key, err)
		}
		if hosts.entries[normal(key)] != nil {
			return nil, fmt.Errorf("--outbound: %s: %s comes twice", path, key)
		}
		hosts.entries[normal(key)] = e
	}
	return hosts, nil
}

func normal(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

func checkKey(key string) error {
	host := strings.TrimPrefix(key, "*.")
	if h, _, err := net.SplitHostPort(host); err == nil && !strings.HasPrefix(key, "*.") {
		host = h
	}
	if key != "*" && (host == "" || strings.ContainsAny(host, "*/@ \t") || strings.Contains(key, "://")) {
		return fmt.Errorf(`%q is no host: use host, host:port, *.domain or *`, key)
	}
	return nil
}

// prepare checks an entry and reads what it names.
func (e *entry) prepare(folder string) error {
	for _, path := range []*string{&e.CAFile, &e.CertFile, &e.KeyFile} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(folder, *path)
		}
	}
	e.tls = &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(sessions)}
	if e.CAFile != "" {
		pem, err := filedb.ReadText(e.CAFile, maxFile)
		if err != nil {
			return fmt.Errorf("caFile: %w", err)
		}
		e.tls.RootCAs = x509.NewCertPool()
		if !e.tls.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("caFile: %s has no certificate in PEM", e.CAFile)
		}
	}
	if (e.CertFile == "") != (e.KeyFile == "") {
		return errors.New("certFile and keyFile go together")
	}
	if e.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(e.CertFile, e.KeyFile); err != nil {
			return fmt.Errorf("certFile, keyFile: %w", err)
		}
		e.tls.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(e.CertFile, e.KeyFile)
			return &pair, err
		}
	}
	return e.prepareProxy(folder)
}

func (e *entry) prepareProxy(folder string) error {
	if e.Proxy == "" {
		if e.ProxyAuth != nil {
			return errors.New("proxyAuth: there is no proxy to log in to")
		}
		return nil
	}
	u, err := url.Parse(e.Proxy)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("proxy: must be http://host:port or https://host:port") // it may hold a password
	case u.User != nil:
		return errors.New("proxy: must not contain user or password; name them in proxyAuth: {file: …} or {env: …}")
	case u.Scheme == "https" && e.CertFile != "":
		return errors.New("proxy: an https proxy would be shown the client certificate of the host; use http://")
	}
	e.proxy = u
	if e.ProxyAuth == nil {
		return nil
	}
	if (e.ProxyAuth.File == "") == (e.ProxyAuth.Env == "") {
		return errors.New("proxyAuth: set exactly one of file and env")
	}
	if f := e.ProxyAuth.File; f != "" && !filepath.IsAbs(f) {
		e.ProxyAuth.File = filepath.Join(folder, f)
	}
	_, err = e.via()
	return err
}

// via is the proxy with its login as it is now; nil: there is no proxy.
func (e *entry) via() (*url.URL, error) {
	if e.proxy == nil || e.ProxyAuth == nil {
		return e.proxy, nil
	}
	text := os.Getenv(e.ProxyAuth.Env)
	if e.ProxyAuth.File != "" {
		data, err := filedb.ReadText(e.ProxyAuth.File, maxLogin)
		if err != nil {
			return nil, fmt.Errorf("proxyAuth: %w", err)
		}
		text = strings.TrimRight(string(data), "\r\n")
	}
	user, password, ok := strings.Cut(text, ":")
	if !ok {
		return nil, errors.New("proxyAuth: must be user:password, and is not")
	}
	u := *e.proxy
	u.User = url.UserPassword(user, password)
	return &u, nil
}

// find is how a URL is called.
func (h *Hosts) find(u *url.URL) *entry {
	if h == nil {
		return nil
	}
	host, port := normal(u.Hostname()), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	for _, key := range []string{net.JoinHostPort(host, port), host} {
		if e := h.entries[key]; e != nil {
			return e
		}
	}
	for rest := host; ; {
		_, domain, ok := strings.Cut(rest, ".")
		if !ok {
			return h.entries["*"]
		}
		if e := h.entries["*."+domain]; e != nil {
			return e
		}
		rest = domain
	}
}

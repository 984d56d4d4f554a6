package outbound_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jobwright.dev/controller/action/outbound"
)

func write(t *testing.T, text string, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "outbound.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func hostsFile(t *testing.T, text string, files map[string][]byte) *outbound.Hosts {
	t.Helper()
	hosts, err := outbound.Load(write(t, text, files))
	if err != nil {
		t.Fatal(err)
	}
	return hosts
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// client makes a certificate of a client and its key.
func client(t *testing.T) (certificate, key []byte, parsed *x509.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err = x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificatePEM(der), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), parsed
}

func TestPrivateAuthorityAndClientCertificate(t *testing.T) {
	certificate, key, parsed := client(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].SerialNumber.String())
	}))
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	server.Config.ErrorLog = nil
	server.StartTLS()
	defer server.Close()
	files := map[string][]byte{"ca.pem": certificatePEM(server.Certificate().Raw), "c.pem": certificate, "c.key": key}
	for name, tc := range map[string]struct{ file, want string }{
		"with both":                     {`127.0.0.1: {caFile: ca.pem, certFile: c.pem, keyFile: c.key}`, ""},
		"without a certificate":         {`127.0.0.1: {caFile: ca.pem}`, "certificate required"},
		"without its authority":         {`127.0.0.1: {certFile: c.pem, keyFile: c.key}`, "unknown authority"},
		"the settings of another host":  {`"*.example.com": {caFile: ca.pem, certFile: c.pem, keyFile: c.key}`, "unknown authority"},
		"those of another port":         {`"127.0.0.1:1": {caFile: ca.pem, certFile: c.pem, keyFile: c.key}`, "unknown authority"},
		"only the most exact key holds": {`{"*": {caFile: ca.pem, certFile: c.pem, keyFile: c.key}, 127.0.0.1: {caFile: ca.pem}}`, "certificate required"},
	} {
		network := outbound.New(outbound.Options{AllowPrivate: true, Hosts: hostsFile(t, tc.file, files)})
		response, err := network.RoundTrip(request(t, http.MethodPost, server.URL))
		if err == nil {
			_, err = io.ReadAll(response.Body) // TLS 1.3 tells of the certificate with the answer
			response.Body.Close()
		}
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

// proxy is one that asks for a login, and counts what it is asked for.
func proxy(t *testing.T, asked *atomic.Int32) *httptest.Server {
	t.Helper()
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:pass word"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Proxy-Authorization") != want {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		if r.Method != http.MethodConnect {
			_, _ = io.WriteString(w, "proxied "+r.URL.String())
			return
		}
		to, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer to.Close()
		from, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer from.Close()
		_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(to, bufio.NewReader(buffered)) }()
		_, _ = io.Copy(from, to)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestAProxyOfTheOperator(t *testing.T) {
	var asked, seen atomic.Int32
	through := proxy(t, &asked)
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if seen.Add(1); r.URL.Path == "/drop" {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "secure")
	}))
	defer secure.Close()
	files := map[string][]byte{"login": []byte("me:pass word\n"), "wrong": []byte("me:other"), "ca.pem": certificatePEM(secure.Certificate().Raw)}
	t.Setenv("PROXY_LOGIN", "me:pass word")
	for name, tc := range map[string]struct {
		auth, url    string
		allow        bool
		body         string
		want         string // of the error
		asked, seen  int32
		nothingSaid  string
		unanswered   bool
		statusWanted int
	}{
		"http":                          {auth: "file: login", url: "http://api.invalid/x?y=1", body: "proxied http://api.invalid/x?y=1", asked: 1},
		"a login of the environment":    {auth: "env: PROXY_LOGIN", url: "http://api.invalid/", body: "proxied http://api.invalid/", asked: 1},
		"a wrong login":                 {auth: "file: wrong", url: "http://api.invalid/", asked: 1, statusWanted: http.StatusProxyAuthRequired},
		"https by CONNECT":              {auth: "file: login", url: secure.URL + "/", allow: true, body: "secure", asked: 1, seen: 1},
		"https with a wrong login":      {auth: "file: wrong", url: secure.URL + "/", allow: true, want: "Proxy Authentication Required", asked: 1},
		"a dropped request, not again":  {auth: "file: login", url: secure.URL + "/drop", allow: true, want: "no answer could be read", unanswered: true, asked: 1, seen: 1},
		"a private address":             {auth: "file: login", url: "http://169.254.169.254/latest", want: "is private"},
		"a private address of IPv6":     {auth: "file: login", url: "http://[fd00::1]/", want: "is private"},
		"the proxy's own loopback":      {auth: "file: login", url: "http://localhost:1/", want: "is private"},
		"its loopback by another name":  {auth: "file: login", url: "http://A.LocalHost./", want: "is private"},
		"a private one that is allowed": {auth: "file: login", url: "http://10.0.0.1/", allow: true, body: "proxied http://10.0.0.1/", asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			asked.Store(0)
			seen.Store(0)
			hosts := hostsFile(t, `"*": {proxy: "`+through.URL+`", proxyAuth: {`+tc.auth+`}, caFile: ca.pem}`, files)
			response, err := outbound.New(outbound.Options{AllowPrivate: tc.allow, Hosts: hosts}).RoundTrip(request(t, http.MethodPost, tc.url))
			var body []byte
			if err == nil {
				body, _ = io.ReadAll(response.Body)
				response.Body.Close()
				if tc.statusWanted != 0 && response.StatusCode != tc.statusWanted {
					t.Errorf("status %s", response.Status)
				}
			}
			if (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "pass")) || string(body) != tc.body {
				t.Errorf("%q, %v", body, err)
			}
			if errors.Is(err, outbound.ErrUnanswered) != tc.unanswered {
				t.Errorf("error %v", err)
			}
			if asked.Load() != tc.asked || seen.Load() != tc.seen {
				t.Errorf("the proxy was asked %d times, the server %d times; want %d and %d", asked.Load(), seen.Load(), tc.asked, tc.seen)
			}
		})
	}
}

func TestAHostThatMayBePrivate(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		options outbound.Options
		permits func(string) bool
		ok      bool
	}{
		"without a word":          {},
		"the server's own word":   {options: outbound.Options{AllowPrivate: true}, ok: true},
		"this host's":             {options: outbound.Options{Hosts: hostsFile(t, `"`+at.Host+`": {allowPrivate: true}`, nil)}, ok: true},
		"another host's":          {options: outbound.Options{Hosts: hostsFile(t, `"127.0.0.1:1": {allowPrivate: true}`, nil)}},
		"the caller's":            {permits: func(address string) bool { return address == at.Host }, ok: true},
		"the caller's of another": {permits: func(string) bool { return false }},
	} {
		network := outbound.New(tc.options)
		if tc.permits != nil {
			network = network.Permitting(tc.permits)
		}
		response, err := network.RoundTrip(request(t, http.MethodGet, server.URL))
		if err == nil {
			response.Body.Close()
		}
		var refused *outbound.RefusedError
		if (err == nil) != tc.ok || !tc.ok && !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
		if problem, err := network.Reachable(t.Context(), at); err != nil || tc.permits == nil && (problem == "") != tc.ok {
			t.Errorf("%s: reachable: %q, %v", name, problem, err)
		}
	}
}

func TestOperatorsFilesThatAreRefused(t *testing.T) {
	certificate, key, _ := client(t)
	files := map[string][]byte{"c.pem": certificate, "c.key": key, "empty": {}}
	for text, want := range map[string]string{
		`a.example: {prox: "http://p"}`:                                `unknown field "[a.example].prox"`,
		"a.example: {}\nn: {allowPrivate: true}":                       `line 2: the key n is false to some YAML readers, not text: quote it: "n"`,
		`a: {proxyAuth: "me:secret"}`:                                  "must be",
		`https://a.example: {allowPrivate: true}`:                      "is no host",
		`"*x": {allowPrivate: true}`:                                   "is no host",
		`"*.": {allowPrivate: true}`:                                   "is no host",
		`{a.example: {allowPrivate: true}, A.EXAMPLE.: {}}`:            "comes twice",
		`a: {caFile: none.pem}`:                                        "no such file",
		`a: {caFile: c.key}`:                                           "has no certificate in PEM",
		`a: {certFile: c.pem}`:                                         "certFile and keyFile go together",
		`a: {certFile: c.pem, keyFile: c.pem}`:                         "certFile, keyFile: ",
		`a: {proxy: "socks5://p:1"}`:                                   "must be http://host:port or https://host:port",
		`a: {proxy: "http://me:secret@p:1"}`:                           "must not contain user or password",
		`a: {proxyAuth: {env: X}}`:                                     "there is no proxy",
		`a: {proxy: "http://p:1", proxyAuth: {}}`:                      "exactly one of file and env",
		`a: {proxy: "http://p:1", proxyAuth: {file: empty}}`:           "must be user:password",
		`a: {proxy: "http://p:1", proxyAuth: {env: NO_SUCH_VARIABLE}}`: "must be user:password",
		`a: {proxy: "https://p:1", certFile: c.pem, keyFile: c.key}`:   "would be shown the client certificate",
		`[]`: "a map of hosts",
	} {
		if hosts, err := outbound.Load(write(t, text, files)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %+v, %v; want %q", text, hosts, err, want)
		}
	}
	if _, err := outbound.Load(write(t, `{"[::1]:80": {allowPrivate: true}, "*": , b.example: {proxy: "http://p:1"}}`, nil)); err != nil {
		t.Error(err)
	}
}

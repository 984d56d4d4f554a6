package outbound_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"

	"jobwright.dev/api/server/servertest"
	"jobwright.dev/controller/action/outbound"
)

// serve hands each connection to handle, and returns the address.
func serve(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				handle(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func request(t *testing.T, method, url string) *http.Request {
	t.Helper()
	var body io.Reader
	if method == http.MethodPost {
		body = bytes.NewReader([]byte(`{"amount":1}`)) // so that there is a GetBody
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Idempotency-Key", "k") // which is what has net/http send a POST again
	r.Header.Set("X-Idempotency-Key", "k")
	return r
}

// TestAServerThatClosesIsNotAskedAgain has a server that answers the first request of a
// connection and closes at the second one, which it has read; and one that answers none.
func TestAServerThatClosesIsNotAskedAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		method  string
		answers int // requests on one connection that are answered
		ok      bool
	}{
		"a POST to one that closes kept-alive connections": {http.MethodPost, 1, true},
		"a POST to one that answers nobody":                {http.MethodPost, 0, false},
		"a GET to one that answers nobody":                 {http.MethodGet, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			var seen atomic.Int32
			address := serve(t, func(conn net.Conn) {
				reader := bufio.NewReader(conn)
				for n := 0; ; n++ {
					r, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					seen.Add(1)
					if n >= tc.answers {
						return
					}
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				}
			})
			network := outbound.New(outbound.Options{AllowPrivate: true})
			for range 3 {
				seen.Store(0)
				response, err := network.RoundTrip(request(t, tc.method, "http://"+address+"/"))
				if err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
				if (err == nil) != tc.ok || !tc.ok && !errors.Is(err, outbound.ErrUnanswered) {
					t.Errorf("error %v", err)
				}
				if n := seen.Load(); n != 1 {
					t.Errorf("the server saw the request %d times", n)
				}
			}
		})
	}
}

// TestHTTP2RefusalsAreNotSentAgain has a server of HTTP/2 that reads each request and
// refuses it in the ways after which a client may send it again.
func TestHTTP2RefusalsAreNotSentAgain(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	defer secure.Close()
	for name, refuse := range map[string]func(*http2.Framer, uint32) error{
		"REFUSED_STREAM":      func(f *http2.Framer, id uint32) error { return f.WriteRSTStream(id, http2.ErrCodeRefusedStream) },
		"PROTOCOL_ERROR":      func(f *http2.Framer, id uint32) error { return f.WriteRSTStream(id, http2.ErrCodeProtocol) },
		"GOAWAY":              func(f *http2.Framer, _ uint32) error { return f.WriteGoAway(0, http2.ErrCodeNo, nil) },
		"a closed connection": func(*http2.Framer, uint32) error { return io.EOF },
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(name+" of a "+method, func(t *testing.T) {
				var seen atomic.Int32
				address := serve(t, func(raw net.Conn) {
					conn := tls.Server(raw, &tls.Config{Certificates: secure.TLS.Certificates, NextProtos: []string{"h2"}})
					if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
						return
					}
					framer := http2.NewFramer(conn, conn)
					if framer.WriteSettings() != nil {
						return
					}
					for {
						frame, err := framer.ReadFrame()
						if err != nil {
							return
						}
						if headers, ok := frame.(*http2.HeadersFrame); ok {
							seen.Add(1)
							if refuse(framer, headers.StreamID) != nil {
								return
							}
						}
					}
				})
				hosts := hostsFile(t, `"*": {caFile: ca.pem}`, map[string][]byte{"ca.pem": certificatePEM(secure.Certificate().Raw)})
				_, port, _ := net.SplitHostPort(address)
				network := outbound.New(outbound.Options{AllowPrivate: true, Hosts: hosts})
				response, err := network.RoundTrip(request(t, method, "https://127.0.0.1:"+port+"/"))
				if err == nil {
					response.Body.Close()
				}
				if !errors.Is(err, outbound.ErrUnanswered) {
					t.Errorf("error %v", err)
				}
				if n := seen.Load(); n != 1 {
					t.Errorf("the server saw the request %d times: %v", n, err)
				}
			})
		}
	}
}

// TestHTTP2IsSpoken: the guard against a second connection must not get in the way.
func TestHTTP2IsSpoken(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Proto+" "+string(body))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	network := outbound.New(outbound.Options{AllowPrivate: true, Hosts: hostsFile(t, `"*": {caFile: ca.pem}`, map[string][]byte{"ca.pem": certificatePEM(server.Certificate().Raw)})})
	for range 3 {
		response, err := network.RoundTrip(request(t, http.MethodPost, server.URL))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || string(body) != `HTTP/2.0 {"amount":1}` {
			t.Errorf("%s, %v", body, err)
		}
	}
}

func TestWhatWasNotSentIsNotCalledUnanswered(t *testing.T) {
	// What has been read when a connection closes is no reset.
	closed := serve(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 64<<10)) })
	for url, want := range map[string]string{
		"http://" + servertest.Address(t): "connection refused", "https://" + closed: "EOF", "http://no..host/": "no such host",
	} {
		response, err := outbound.New(outbound.Options{AllowPrivate: true}).RoundTrip(request(t, http.MethodPost, url))
		if err == nil {
			response.Body.Close()
		}
		if err == nil || errors.Is(err, outbound.ErrUnanswered) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", url, err, want)
		}
	}
}

// TestANameThatLeadsInsideIsRefused: what counts is the address that is dialled, whatever
// the name led to before.
func TestANameThatLeadsInsideIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was called") }))
	defer server.Close()
	response, err := outbound.New(outbound.Options{}).RoundTrip(request(t, http.MethodGet, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)))
	if err == nil {
		response.Body.Close()
	}
	var refused *outbound.RefusedError
	if !errors.As(err, &refused) || !refused.Addr.IsLoopback() {
		t.Errorf("%v", err)
	}
}

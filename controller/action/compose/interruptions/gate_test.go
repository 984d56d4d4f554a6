package interruptions

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// gate stands between the server and the engine: it sees each request, may withhold
// the answer to one, and may be gone for a while.
type gate struct {
	t      *testing.T
	socket string
	proxy  *httputil.ReverseProxy

	mu      sync.Mutex
	server  *http.Server
	traps   []*trap
	creates []string // the bodies of requests that create a container
}

// trap withholds the answer to the first request that fits.
type trap struct {
	method string
	path   *regexp.Regexp
	body   string // what the request holds; empty: anything
	// forward tells that the engine's answer is passed on when there is one, however late.
	forward bool
	reached chan struct{}
	release chan struct{}
}

func newGate(t *testing.T, engine string) *gate {
	t.Helper()
	dir, err := os.MkdirTemp("", "jwg-")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{t: t, socket: filepath.Join(dir, "sock")}
	g.proxy = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "docker" },
		FlushInterval: -1,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", engine)
		}},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // as an engine that has gone
	}
	t.Cleanup(func() {
		g.cut()
		os.RemoveAll(dir)
	})
	g.restore()
	return g
}

// restore makes the engine answer again.
func (g *gate) restore() {
	listener, err := net.Listen("unix", g.socket)
	if err != nil {
		g.t.Errorf("open the gate: %v", err)
		return
	}
	server := &http.Server{Handler: g}
	g.mu.Lock()
	g.server = server
	g.mu.Unlock()
	go func() { _ = server.Serve(listener) }() // ends with cut
}

// cut breaks every connection to the engine and refuses new ones.
func (g *gate) cut() {
	g.mu.Lock()
	server := g.server
	g.mu.Unlock()
	_ = server.Close() // its listener removes the socket
}

// trap arms a trap.
func (g *gate) trap(tr *trap) *trap {
	tr.reached, tr.release = make(chan struct{}), make(chan struct{})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.traps = append(g.traps, tr)
	return tr
}

// created is how many containers with that text in their description were asked for.
func (g *gate) created(text string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, body := range g.creates {
		if strings.Contains(body, text) {
			n++
		}
	}
	return n
}

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body string
	if strings.HasSuffix(r.URL.Path, "/containers/create") {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		body, r.Body = string(data), io.NopCloser(bytes.NewReader(data))
	}
	tr := g.caught(r, body)
	if tr == nil {
		g.proxy.ServeHTTP(w, r)
		return
	}
	if tr.forward {
		close(tr.reached)
		g.proxy.ServeHTTP(w, r)
		return
	}
	answer := &withheld{header: http.Header{}}
	g.proxy.ServeHTTP(answer, r)
	close(tr.reached)
	select {
	case <-tr.release:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.code)
	_, _ = w.Write(answer.body.Bytes()) // whoever asked may be gone
}

// caught notes a request and returns the trap that it is in; nil: in none.
func (g *gate) caught(r *http.Request, body string) *trap {
	g.mu.Lock()
	defer g.mu.Unlock()
	if body != "" {
		g.creates = append(g.creates, body)
	}
	for i, tr := range g.traps {
		if r.Method == tr.method && tr.path.MatchString(r.URL.Path) && strings.Contains(body, tr.body) {
			g.traps = append(g.traps[:i:i], g.traps[i+1:]...)
			return tr
		}
	}
	return nil
}

// withheld is an answer that is not passed on yet.
type withheld struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *withheld) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *withheld) WriteHeader(code int) { w.code = code }

// Write implements http.ResponseWriter.
func (w *withheld) Write(p []byte) (int, error) {
	if w.code == 0 {
		return 0, errors.New("no status")
	}
	return w.body.Write(p)
}

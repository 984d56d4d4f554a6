package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestForeignRequests sends what a web page could make a browser send: it is refused
// before it is a call.
func TestForeignRequests(t *testing.T) {
	cmd := command(t, "--root", t.TempDir(), "--http", "127.0.0.1:0")
	address := startHTTP(t, cmd)
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	const hello = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`
	for name, test := range map[string]struct {
		path   string
		change func(*http.Request)
		want   int
	}{
		"a client":                  {"", func(*http.Request) {}, http.StatusOK},
		"a page of this machine":    {"", func(r *http.Request) { r.Header.Set("Origin", strings.TrimSuffix(address, "/mcp")) }, http.StatusOK},
		"a page of another site":    {"", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, http.StatusForbidden},
		"a browser says cross-site": {"", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		"a rebound name":            {"", func(r *http.Request) { r.Host = "evil.example" }, http.StatusForbidden},
		"a form":                    {"", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, http.StatusUnsupportedMediaType},
		"another path":              {"/x", func(*http.Request) {}, http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+test.path, strings.NewReader(hello))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Accept", "application/json, text/event-stream")
			test.change(request)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != test.want {
				t.Errorf("status %d, want %d", response.StatusCode, test.want)
			}
		})
	}
}

package mcp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// firstHTTP is a server as of 2024-11-05: one stream of events has all answers, and names the
// endpoint that requests go to.
func firstHTTP(server *scripted, refuses func(w http.ResponseWriter, body []byte) bool) http.Handler {
	answers := make(chan string, 10)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body, err := io.ReadAll(r.Body)
			if err != nil || refuses != nil && refuses(w, body) {
				return
			}
			w.WriteHeader(http.StatusAccepted)
			answers <- server.answer(body)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "event: endpoint\ndata: /messages\n\n")
		for {
			http.NewResponseController(w).Flush()
			select {
			case text := <-answers:
				if text = strings.TrimSpace(text); text != "" {
					fmt.Fprintf(w, "event: message\ndata: %s\n\n", text)
				}
			case <-r.Context().Done():
				return
			}
		}
	})
}

// TestServersOfTheFirstHTTPTransportAreReadAsTheOthersAre.
func TestServersOfTheFirstHTTPTransportAreReadAsTheOthersAre(t *testing.T) {
	for name, tc := range map[string]struct {
		answer  string
		refuses func(http.ResponseWriter, []byte) bool
		check
	}{
		"the id as a string":     {`{"jsonrpc":"2.0","id":"$id","result":{"content":[{"type":"text","text":"done"}]}}`, nil, check{verdict: action.Succeeded, result: `{"text":"done"}`}},
		"content that is a text": {`{"jsonrpc":"2.0","id":$id,"result":{"content":"done"}}`, nil, check{verdict: action.Succeeded, result: `{"text":"done"}`, says: "content is a string, not a list"}},
		"numbers as written":     {`{"jsonrpc":"2.0","id":$id,"result":{"content":[],"structuredContent":{"id":9007199254740993}}}`, nil, check{verdict: action.Succeeded, result: `{"id":9007199254740993}`}},
		"a call that is refused": {"", func(w http.ResponseWriter, body []byte) bool {
			if bytes.Contains(body, []byte(`"tools/call"`)) {
				w.WriteHeader(http.StatusInternalServerError)
				fmt.Fprint(w, `{"detail":"database is locked"}`)
				return true
			}
			return false
		}, check{reason: v1.ReasonServerUnavailable, says: `HTTP 500 Internal Server Error: {"detail":"database is locked"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener := httptest.NewServer(firstHTTP(says("tools/call", tc.answer), tc.refuses))
			t.Cleanup(listener.Close)
			r, rec := newRunner(t, map[string]mcp.Server{"first": {Type: "sse", URL: listener.URL}}), newRecorder()
			out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
			tc.of(t, out, rec)
			if out.Result != nil && !json.Valid(out.Result.Raw) {
				t.Errorf("result %s", out.Result.Raw)
			}
			r.Close()
		})
	}
}

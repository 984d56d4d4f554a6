package mcp_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// TestServersThatDoNotKnowTodaysProtocol are spoken to in one that they know: a
// specification-conformant server would say so in its answer to initialize.
func TestServersThatDoNotKnowTodaysProtocol(t *testing.T) {
	succeeds := check{verdict: action.Succeeded, result: `{"text":"done"}`}
	introduces := func(version string) *scripted {
		return says("initialize", `{"jsonrpc":"2.0","id":$id,"result":{`+version+`"capabilities":{"tools":{}},"serverInfo":{"name":"old","version":"1"}}}`)
	}
	refuses := func(refusal string) *scripted {
		return &scripted{answers: func(method string, request []byte) string {
			if method != "initialize" {
				return ""
			}
			if !bytes.Contains(request, []byte(`"protocolVersion":"2024-11-05"`)) {
				return refusal
			}
			return `{"jsonrpc":"2.0","id":$id,"result":{"protocolVersion":"2024-11-05","capabilities":{"tools":{}}}}`
		}}
	}
	for name, tc := range map[string]struct {
		server *scripted
		begun  int // how often it was introduced for two calls
		check
	}{
		"it names a version that there never was":     {introduces(`"protocolVersion":"2024-10-07",`), 1, check{verdict: action.Succeeded, log: `system: the server names the version "2024-10-07" of the protocol, which there is not; it is spoken to as in 2024-11-05`}},
		"it names a version that is no date":          {introduces(`"protocolVersion":"1.0",`), 1, succeeds},
		"it names a version of the future":            {introduces(`"protocolVersion":"2027-03-01",`), 1, check{verdict: action.Succeeded, log: `system: the server names the version "2027-03-01" of the protocol, which there is not; it is spoken to as in 2025-11-25`}},
		"it names none":                               {introduces(""), 1, succeeds},
		"it refuses with the versions in words":       {refuses(`{"jsonrpc":"2.0","id":$id,"error":{"code":-32602,"message":"Unsupported protocol version: 2025-11-25. Supported: 2024-11-05"}}`), 2, succeeds},
		"it refuses with the versions in data":        {refuses(`{"jsonrpc":"2.0","id":$id,"error":{"code":-32602,"message":"Unsupported protocol version","data":{"supported":["2024-11-05"],"requested":"2025-11-25"}}}`), 2, succeeds},
		"it refuses discovery without an id":          {says("server/discover", `{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Server not initialized"},"id":null}`), 1, succeeds},
		"it refuses, and names no version that it is": {refuses(`{"jsonrpc":"2.0","id":$id,"error":{"code":-32602,"message":"Unsupported protocol version: 2025-11-25"}}`), 1, check{reason: v1.ReasonServerUnavailable, says: "Unsupported protocol version: 2025-11-25"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, rec, start := tc.server.stdio(t), newRecorder(), time.Now()
				tc.of(t, r.Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec), rec)
				if n := tc.server.count("initialize"); n != tc.begun {
					t.Errorf("it was introduced %d times, want %d", n, tc.begun)
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("it took %s", took)
				}
				r.Close()
			})
		})
	}
	t.Run("it refuses with a status", func(t *testing.T) {
		server := &oddHTTP{}
		server.answers = func(w http.ResponseWriter, r *http.Request, method, _ string) bool {
			version := r.Header.Get("Mcp-Protocol-Version")
			if version == "2025-06-18" || method == "initialize" && server.seen("POST initialize") > 1 {
				return false
			}
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, "Bad Request: Unsupported protocol version (supported versions: 2025-06-18, 2025-03-26, 2024-11-05)")
			return true
		}
		r, rec := server.runner(t), newRecorder()
		succeeds.of(t, r.Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec), rec)
		r.Close()
	})
}

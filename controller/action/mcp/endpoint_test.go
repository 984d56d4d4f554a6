package mcp_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

func TestTheOperatorsHeadersGoToNoOtherHost(t *testing.T) {
	var leaked atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaked.Store(leaked.Load() || r.Header.Get("Authorization") != "" || r.Header.Get("X-Key") != "")
	}))
	t.Cleanup(other.Close)
	redirects := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(redirects.Close)
	r := newRunner(t, map[string]mcp.Server{"web": {Type: "http", URL: redirects.URL, Headers: map[string]string{"Authorization": "Bearer abc", "X-Key": "def"}}})
	out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), newRecorder())
	if out.Reason != v1.ReasonServerUnavailable || !strings.Contains(out.Message, "followed only on its own host") || strings.Contains(out.Message, "abc") {
		t.Errorf("outcome %+v", out)
	}
	if leaked.Load() {
		t.Error("another host got the headers")
	}
}

func TestACertificateAuthorityOfTheOperators(t *testing.T) {
	handler := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return fakeServer() }, nil)
	server := httptest.NewTLSServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	trusts := newRunner(t, map[string]mcp.Server{"web": {Type: "http", URL: server.URL, CAFile: file}})
	if out := trusts.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), newRecorder()); out.Verdict != action.Succeeded {
		t.Errorf("with the authority: %+v", out)
	}
	trusts.Close()
	doubts := newRunner(t, map[string]mcp.Server{"web": {Type: "http", URL: server.URL}})
	if out := doubts.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), newRecorder()); !strings.Contains(out.Message, "certificate") {
		t.Errorf("without: %+v", out)
	}
}

package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"

	"jobwright.dev/api/server"
	v1 "jobwright.dev/api/v1"
	logfiles "jobwright.dev/store/logs/file"
)

// inventory has two MCP servers, one of which does not answer.
type inventory struct{}

func (inventory) Servers() []v1.MCPServer {
	return []v1.MCPServer{{Name: "demo", State: v1.MCPServerUnused}, {Name: "gone", State: v1.MCPServerFailed}}
}

func (inventory) Tools(_ context.Context, name string) ([]v1.MCPTool, error) {
	if name == "gone" {
		return nil, errors.New("it does not start")
	}
	return nil, nil
}

func (inventory) Sessions(workspace string) []v1.MCPSession {
	return []v1.MCPSession{{Server: "demo", Workspace: workspace, Name: "login", State: v1.MCPSessionIdle, Calls: 2, PID: 7}}
}

func TestMCPServers(t *testing.T) {
	f := newFixture(t)
	f.want(t, request{method: http.MethodGet, path: "/api/mcp/servers"}, http.StatusNotFound) // nobody knows any
	archive, err := logfiles.Open(filepath.Join(t.TempDir(), "logs"), 0)
	if err != nil {
		t.Fatal(err)
	}
	api, err := server.New(server.Options{Store: f.store, Logs: archive, Log: logr.Discard(), Worker: worker{MCPServers: inventory{}}})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(api)
	t.Cleanup(func() {
		listening.Close()
		archive.Close()
	})
	f = &fixture{store: f.store, archive: archive, url: listening.URL}
	f.want(t, request{method: http.MethodGet, path: "/api/mcp/servers"}, http.StatusOK, `"name":"demo"`, `"state":"Failed"`)
	f.want(t, request{method: http.MethodGet, path: "/apis/jobwright.dev/v1/namespaces/nowhere/mcpsessions"}, http.StatusNotFound)
	f.want(t, request{method: http.MethodGet, path: "/apis/jobwright.dev/v1/namespaces/acme/mcpsessions"}, http.StatusOK, `"workspace":"acme"`, `"name":"login"`, `"calls":2`)
	f.want(t, request{method: http.MethodGet, path: "/api/mcp/servers/demo/tools"}, http.StatusOK, `{"items":[]}`)
	f.want(t, request{method: http.MethodGet, path: "/api/mcp/servers/none/tools"}, http.StatusNotFound, `mcpservers.jobwright.dev \"none\" not found`)
	f.want(t, request{method: http.MethodGet, path: "/api/mcp/servers/gone/tools"}, http.StatusServiceUnavailable, "it does not start")
}

package mcp_test

import (
	"encoding/json"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp"
)

func TestServersAndTheirTools(t *testing.T) {
	good, bad := self(t, "1"), self(t, "no-start")
	bad.Env["KEY"], bad.Args, bad.Headers = "hunter2", []string{"hunter2"}, map[string]string{"Authorization": "hunter2"}
	r := newRunner(t, map[string]mcp.Server{"good": good, "bad": bad})
	states := func() map[string]v1.MCPServer {
		t.Helper()
		byName := map[string]v1.MCPServer{}
		for _, s := range r.Servers() {
			byName[s.Name] = s
		}
		if data, err := json.Marshal(byName); err != nil || strings.Contains(string(data), "hunter2") {
			t.Errorf("what is told of the servers: %s, %v", data, err)
		}
		return byName
	}
	if got := states(); got["good"].State != v1.MCPServerUnused || got["bad"].State != v1.MCPServerUnused || got["good"].MaxSessions != 1 {
		t.Errorf("before anything: %+v", got)
	}
	tools, err := r.Tools(t.Context(), "good")
	if err != nil || len(tools) == 0 {
		t.Fatalf("tools %v, %v", tools, err)
	}
	for _, tool := range tools {
		if tool.InputSchema == nil || !strings.Contains(string(tool.InputSchema.Raw), `"object"`) || !tool.Destructive {
			t.Errorf("tool %+v", tool)
		}
	}
	if _, err := r.Tools(t.Context(), "bad"); err == nil || !strings.Contains(err.Error(), "no licence found") {
		t.Errorf("error %v", err)
	}
	got := states()
	if g := got["good"]; g.State != v1.MCPServerConnected || g.Idle != 1 || g.ServerName != "fake" || g.ServerVersion != "1" || g.Protocol == "" {
		t.Errorf("good: %+v", g)
	}
	if b := got["bad"]; b.State != v1.MCPServerFailed || !strings.Contains(b.Error, "no licence found") {
		t.Errorf("bad: %+v", b)
	}
}

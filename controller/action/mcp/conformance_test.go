package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
	"jobwright.dev/controller/action/mcp/config"
)

// scenario is one of the protocol's own suite for clients. The suite starts a server,
// starts this test program as its client, and judges what it saw.
type scenario struct {
	// arguments are those of the tools that are called; a tool without any is called too.
	arguments map[string]map[string]v1.JSON
	// server makes the operator's definition what the scenario wants. scenario is what the
	// suite tells its client: JSON with e.g. client_id.
	server func(server *mcp.Server, scenario []byte) error
	// job makes the build what the scenario wants.
	job func(build *v1.BuildAction)
}

// scenarios are those that the runner meets.
var scenarios = map[string]scenario{
	"initialize": {},
	"tools_call": {arguments: map[string]map[string]v1.JSON{"add_numbers": {"a": {Raw: []byte("5")}, "b": {Raw: []byte("3")}}}},
	"sse-retry":  {},
	"elicitation-sep1034-client-defaults": {server: func(server *mcp.Server, _ []byte) error {
		server.Elicitation = config.ElicitationDefaults
		return nil
	}},
	"auth/client-credentials-basic": {server: withCredentials},
	"auth/client-credentials-jwt":   {server: withCredentials},
}

// withCredentials are those that the suite gives its client.
func withCredentials(server *mcp.Server, scenario []byte) error {
	var given struct {
		ID        string `json:"client_id"`
		Secret    string `json:"client_secret"`
		Key       string `json:"private_key_pem"`
		Algorithm string `json:"signing_algorithm"`
	}
	if err := json.Unmarshal(scenario, &given); err != nil {
		return err
	}
	server.OAuth = &config.OAuth{ClientID: given.ID, ClientSecret: given.Secret, PrivateKey: given.Key, Algorithm: given.Algorithm}
	return nil
}

const conformanceMode = "conformance"

// conformanceClient is the client that the suite starts: it lists the server's tools and
// calls each of them as a job.
func conformanceClient(url string) error {
	s, ok := scenarios[os.Getenv("MCP_CONFORMANCE_SCENARIO")]
	if !ok {
		return fmt.Errorf("no scenario %q", os.Getenv("MCP_CONFORMANCE_SCENARIO"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server := mcp.Server{Type: "http", URL: url}
	if s.server != nil {
		if err := s.server(&server, []byte(os.Getenv("MCP_CONFORMANCE_CONTEXT"))); err != nil {
			return err
		}
	}
	r, err := mcp.New(mcp.Options{Config: &mcp.Config{Servers: map[string]mcp.Server{"suite": server}}, Worker: "conformance", Version: "test"})
	if err != nil {
		return err
	}
	defer r.Close()
	tools, err := r.Tools(ctx, "suite")
	if err != nil {
		return err
	}
	for _, tool := range tools {
		build := &v1.BuildAction{Action: tool.Name, Arguments: s.arguments[tool.Name]}
		if s.job != nil {
			s.job(build)
		}
		rec := newRecorder()
		if out := r.Run(ctx, attempt(build), rec); out.Verdict != action.Succeeded {
			return fmt.Errorf("%s: %+v\n%s", tool.Name, out, strings.Join(rec.lines, "\n"))
		}
	}
	return nil
}

func TestConformanceOfTheClient(t *testing.T) {
	suite := npmProgram(t, "@modelcontextprotocol/conformance/dist/index.js")
	for name := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The suite takes a command without quotes, and adds the server's address.
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			link := filepath.Join(t.TempDir(), "client")
			if err := os.Symlink(self, link); err != nil {
				t.Fatal(err)
			}
			// The suite judges by the clock too (sse-retry), and this machine may be busy.
			var out []byte
			for range 3 {
				command := exec.CommandContext(t.Context(), "node", suite, "client", "--command", link, "--scenario", name, "--timeout", "90000")
				command.Env = append(os.Environ(), fakeEnv+"="+conformanceMode)
				if out, err = command.CombinedOutput(); err == nil {
					return
				}
			}
			t.Errorf("%v\n%s", err, out)
		})
	}
}

package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jobwright.dev/api/server/servertest"
)

// guardedServer is an MCP server with its authorization server. The authorization server
// replaces the refresh token with each use; one that is used again is taken for stolen, and
// none is taken after that (RFC 9700).
type guardedServer struct {
	url string

	mu       sync.Mutex
	refresh  string   // the one that is taken
	used     []string // what was sent
	access   string   // the access token that is taken
	onAccess func()   // called once, when the newest token is seen for the first time
}

func (s *guardedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case strings.HasPrefix(r.URL.Path, "/.well-known/oauth-authorization-server"):
		s.json(w, http.StatusOK, map[string]any{"issuer": s.url, "token_endpoint": s.url + "/token"})
	case strings.HasPrefix(r.URL.Path, "/.well-known/"):
		http.NotFound(w, r)
	case r.URL.Path == "/token":
		s.token(w, r)
	case r.Header.Get("Authorization") != "Bearer "+s.access:
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(http.StatusUnauthorized)
	default:
		if s.onAccess != nil {
			s.onAccess()
			s.onAccess = nil
		}
		s.answer(w, r)
	}
}

func (s *guardedServer) json(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func (s *guardedServer) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	sent := r.PostForm.Get("refresh_token")
	s.used = append(s.used, sent)
	if sent != s.refresh {
		s.refresh = "revoked"
		s.json(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	s.refresh, s.access = fmt.Sprint("hidden-refresh-", len(s.used)), fmt.Sprint("hidden-access-", len(s.used))
	s.json(w, http.StatusOK, map[string]any{"access_token": s.access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": s.refresh})
}

func (s *guardedServer) answer(w http.ResponseWriter, r *http.Request) {
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&m) != nil {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	reply := func(member, value string) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%q:%s}`+"\n", m.ID, member, value)
	}
	switch m.Method {
	case "initialize":
		reply("result", `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"guarded","version":"1"}}`)
	case "tools/list":
		reply("result", `{"tools":[{"name":"look","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}]}`)
	case "tools/call":
		reply("result", `{"content":[]}`)
	case "notifications/initialized", "notifications/cancelled":
		w.WriteHeader(http.StatusAccepted)
	default:
		reply("error", `{"code":-32601,"message":"Method not found"}`)
	}
}

// expire has the access token be taken no more, so that the next use needs a new one.
func (s *guardedServer) expire(onAccess func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access, s.onAccess = "none", onAccess
}

func (s *guardedServer) sent() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.used, " ")
}

// TestKillNineKeepsTheRefreshToken kills the real server at the moment in which an access
// token is used for the first time: the refresh token that came with it is on the disk, and
// the next start goes on with it. Then it is started with another key, with a damaged file, and with both keys.
func TestKillNineKeepsTheRefreshToken(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	guarded := &guardedServer{refresh: "hidden-refresh-0"}
	server := httptest.NewServer(guarded)
	t.Cleanup(server.Close)
	guarded.url = server.URL
	dir, keys := t.TempDir(), t.TempDir()
	k := &killed{t: t, bin: t.TempDir(), dir: dir, address: servertest.Address(t), env: []string{"GUARDED_REFRESH=hidden-refresh-0"}}
	k.build()
	key := func(name string, lines ...string) []string {
		t.Helper()
		path := filepath.Join(keys, name)
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{"--mcp-token-key-file", path}
	}
	first, second := strings.Repeat("1", 44), strings.Repeat("2", 44)
	config := fmt.Sprintf(`{"mcpServers": {"crm": {"url": %q, "oauth": {"clientId": "jobwright", "refreshToken": "${GUARDED_REFRESH}"}}}}`, server.URL+"/mcp")
	if err := os.WriteFile(filepath.Join(dir, "mcp.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	jobs := 0
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	start := func(flags []string) {
		k.flags = flags
		k.log.Reset()
		k.start()
		for !strings.Contains(k.log.String(), "msg=serving") {
			<-look.C
		}
	}
	kill := func() {
		k.signal(syscall.SIGKILL)
		_ = k.cmd.Wait() // killed, as asked
	}
	create := func(name string) {
		t.Helper()
		path := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(path, []byte("apiVersion: jobwright.dev/v1\nkind: Job\nmetadata: {name: "+name+"}\nspec: {onInterruption: Rerun, build: {server: crm, action: look}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		k.jobwright("apply", "-f", path)
	}
	// build runs a build and returns what came of it.
	build := func() string {
		jobs++
		name := fmt.Sprint("look-", jobs)
		create(name)
		for {
			got := strings.TrimSpace(k.jobwright("get", "job", name, "-o", "jsonpath={.status.phase} {.status.message}"))
			if !strings.HasPrefix(got, "Queued") && !strings.HasPrefix(got, "Running") {
				return got
			}
			<-look.C
		}
	}
	succeeds := func(when, sent string) {
		t.Helper()
		if got := build(); !strings.HasPrefix(got, "Succeeded") {
			t.Fatalf("%s: %s\n%s", when, got, k.log.String())
		}
		if got := guarded.sent(); got != sent {
			t.Fatalf("%s: refresh tokens sent: %s, want %s", when, got, sent)
		}
	}

	start(key("first", first))
	succeeds("at first", "hidden-refresh-0")
	kill()
	start(key("first", first))
	succeeds("after a restart", "hidden-refresh-0")

	created, dead := make(chan struct{}), make(chan struct{})
	guarded.expire(func() { <-created; kill(); close(dead) }) // the client has its answer by then
	create("interrupted")
	close(created)
	<-dead
	start(key("first", first))
	k.jobwright("wait", "--for=condition=Complete", "job/interrupted")
	succeeds("after the kill", "hidden-refresh-0 hidden-refresh-1")

	kill()
	guarded.expire(nil)
	start(key("second", second))
	if got := build(); !strings.HasPrefix(got, "Failed") || !strings.Contains(got, "was encrypted with a key that --mcp-token-key-file does not have") {
		t.Errorf("with another key: %s", got)
	}
	if !strings.Contains(k.log.String(), "the token that is kept for an MCP server cannot be read") {
		t.Errorf("with another key: the log says\n%s", k.log.String())
	}
	kill()
	start(nil)
	if got := build(); !strings.HasPrefix(got, "Failed") || !strings.Contains(got, "the server was started without --mcp-token-key-file") {
		t.Errorf("without the key of what is kept: %s", got)
	}
	kill()
	k.secretsStayHidden(filepath.Join(dir, "data"))
	start(key("both", second, first))
	succeeds("with both keys", "hidden-refresh-0 hidden-refresh-1 hidden-refresh-2")
	kill()
	start(key("second", second))
	succeeds("with the new key", "hidden-refresh-0 hidden-refresh-1 hidden-refresh-2")

	kill()
	k.secretsStayHidden(filepath.Join(dir, "data"))
	kept, err := filepath.Glob(filepath.Join(dir, "data", "mcp-oauth", "*"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%q, %v", kept, err)
	}
	if err := os.Truncate(kept[0], 100); err != nil {
		t.Fatal(err)
	}
	k.env = []string{"GUARDED_REFRESH=hidden-refresh-3"} // the operator's new one
	start(key("second", second))
	succeeds("with a file that is cut off", "hidden-refresh-0 hidden-refresh-1 hidden-refresh-2 hidden-refresh-3")
	if !strings.Contains(k.log.String(), "the file of the token is damaged") {
		t.Errorf("with a file that is cut off: the log says\n%s", k.log.String())
	}

	kill()
	k.env = []string{"GUARDED_REFRESH=hidden-refresh-4"}
	start(nil)
	succeeds("without a key", "hidden-refresh-0 hidden-refresh-1 hidden-refresh-2 hidden-refresh-3 hidden-refresh-4")
	guarded.expire(nil)
	succeeds("without a key, again", "hidden-refresh-0 hidden-refresh-1 hidden-refresh-2 hidden-refresh-3 hidden-refresh-4 hidden-refresh-5")
	if n := strings.Count(k.log.String(), "set --mcp-token-key-file to keep it"); n != 1 {
		t.Errorf("without a key: said %d times that the refresh token is lost:\n%s", n, k.log.String())
	}
	k.signal(syscall.SIGTERM)
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// secretsStayHidden looks for tokens in every file of a folder, and in the server's log.
func (k *killed) secretsStayHidden(folder string) {
	k.t.Helper()
	if strings.Contains(k.log.String(), "hidden-") {
		k.t.Errorf("a token is in the log:\n%s", k.log.String())
	}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), "hidden-") {
			k.t.Errorf("a token is in %s", path)
		}
		return err
	})
	if err != nil {
		k.t.Error(err)
	}
}

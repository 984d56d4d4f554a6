package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// transports are the ways to reach the server.
const (
	overStdio = "over stdio"
	overHTTP  = "over HTTP"
)

// session is a client of a server process.
type session struct {
	*mcp.ClientSession
	cmd   *exec.Cmd
	in    io.WriteCloser // what the server reads, over stdio
	ended func() error   // waits for the process
}

// connect starts the server and connects the SDK's client to it.
func connect(t *testing.T, transport, root string, options *mcp.ClientOptions) *session {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test"}, options)
	s := &session{}
	var to mcp.Transport
	switch transport {
	case overStdio:
		s.cmd = command(t, "--root", root)
		out, err := s.cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if s.in, err = s.cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		if err := s.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		to = &mcp.IOTransport{Reader: out, Writer: s.in}
	case overHTTP:
		s.cmd = command(t, "--root", root, "--http", "127.0.0.1:0")
		to = &mcp.StreamableClientTransport{Endpoint: startHTTP(t, s.cmd), MaxRetries: -1}
	}
	s.ended = sync.OnceValue(s.cmd.Wait)
	var err error
	if s.ClientSession, err = client.Connect(t.Context(), to, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		s.cmd.Process.Kill()
		s.ended()
	})
	return s
}

// startHTTP starts the server and returns the address that it says it serves.
func startHTTP(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "builders-mcp: serving ")
	if err != nil || !ok {
		t.Fatalf("the server says %q (%v)", line, err)
	}
	return address
}

// inUse is a port that is taken until the test ends.
func inUse(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// call calls a tool and returns its structured answer, or in text what went wrong.
func (s *session) call(t *testing.T, tool string, in any) (out applyOutput, text string, failed bool) {
	t.Helper()
	result, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: in})
	if err != nil {
		t.Fatal(err)
	}
	return answer(t, result)
}

func answer(t *testing.T, result *mcp.CallToolResult) (out applyOutput, text string, failed bool) {
	t.Helper()
	for _, c := range result.Content {
		text += c.(*mcp.TextContent).Text
	}
	if !result.IsError {
		encoded, err := json.Marshal(result.StructuredContent)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(encoded, &out); err != nil {
			t.Fatal(err)
		}
	}
	return out, text, result.IsError
}

type arguments map[string]any

func forEachTransport(t *testing.T, test func(t *testing.T, transport string)) {
	for _, transport := range []string{overStdio, overHTTP} {
		t.Run(transport, func(t *testing.T) { test(t, transport) })
	}
}

func TestTools(t *testing.T) {
	forEachTransport(t, func(t *testing.T, transport string) {
		s := connect(t, transport, t.TempDir(), nil)
		list, err := s.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		type hints struct{ readOnly, idempotent, destructive, open bool }
		got := map[string]hints{}
		for _, tool := range list.Tools {
			a := tool.Annotations
			got[tool.Name] = hints{a.ReadOnlyHint, a.IdempotentHint, a.DestructiveHint != nil && *a.DestructiveHint, *a.OpenWorldHint}
			if tool.InputSchema == nil || tool.OutputSchema == nil || tool.Description == "" {
				t.Errorf("%s lacks a schema or a description", tool.Name)
			}
		}
		want := map[string]hints{
			"list_builders": {readOnly: true, idempotent: true},
			"preview_apply": {readOnly: true, idempotent: true},
			"apply_builder": {idempotent: true, destructive: true},
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(hints{})); diff != "" {
			t.Error(diff)
		}

		result, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "list_builders"})
		if err != nil || result.IsError {
			t.Fatal(err, result)
		}
		var listed listOutput
		encoded, _ := json.Marshal(result.StructuredContent)
		if err := json.Unmarshal(encoded, &listed); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(builders, listed.Builders, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".files" }, cmp.Ignore()), cmp.AllowUnexported(builder{})); diff != "" {
			t.Error(diff)
		}
		_, text, _ := answer(t, result)
		for _, b := range builders {
			if !strings.Contains(text, b.ID) {
				t.Errorf("the text does not name %s:\n%s", b.ID, text)
			}
		}
	})
}

func TestPreviewAndApply(t *testing.T) {
	forEachTransport(t, func(t *testing.T, transport string) {
		for _, b := range builders {
			t.Run(b.ID, func(t *testing.T) {
				dir := t.TempDir()
				s := connect(t, transport, dir, nil)
				in := arguments{"id": b.ID, "variables": arguments{}, "target": "site"}
				for _, v := range b.Variables {
					if v.Required {
						in["variables"].(arguments)[v.Name] = "health-check"
					}
				}
				preview, _, failed := s.call(t, "preview_apply", in)
				if failed || len(preview.Files) != len(b.files) {
					t.Fatalf("preview %+v", preview)
				}
				if got := tree(t, dir); len(got) != 0 {
					t.Errorf("a preview wrote %v", got)
				}
				want, files := map[string]string{}, []writtenFile{}
				for _, f := range preview.Files {
					want[f.Path] = f.Text
					files = append(files, writtenFile{Path: f.Path, Bytes: len(f.Text), Status: created})
				}
				applied, text, failed := s.call(t, "apply_builder", in)
				if failed {
					t.Fatal(text)
				}
				if diff := cmp.Diff(files, applied.Files); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
					t.Error(diff)
				}

				again, text, failed := s.call(t, "apply_builder", in)
				if failed {
					t.Fatal(text)
				}
				for _, f := range again.Files {
					if f.Status != unchanged {
						t.Errorf("the second time %s was %s", f.Path, f.Status)
					}
				}
			})
		}
	})
}

func TestForce(t *testing.T) {
	forEachTransport(t, func(t *testing.T, transport string) {
		dir := t.TempDir()
		s := connect(t, transport, dir, nil)
		in := arguments{"id": "quota-check-lib"}
		if _, text, failed := s.call(t, "apply_builder", in); failed {
			t.Fatal(text)
		}
		want := tree(t, dir)
		write(t, dir, "lib/quota/memory.ts", "mine")
		mine := tree(t, dir)

		out, text, failed := s.call(t, "preview_apply", in)
		if failed || !strings.Contains(text, "apply_builder would refuse: 1 of 6 files are there and differ: lib/quota/memory.ts; set force") {
			t.Errorf("preview: %v %s", out, text)
		}
		if len(out.Problems) != 1 || !strings.HasPrefix(out.Problems[0], "1 of 6 files are there and differ") {
			t.Errorf("problems of the preview: %q", out.Problems)
		}
		_, text, failed = s.call(t, "apply_builder", in)
		if !failed || text != "1 of 6 files are there and differ: lib/quota/memory.ts; set force to overwrite them; nothing was written" {
			t.Errorf("without force: %s", text)
		}
		if diff := cmp.Diff(mine, tree(t, dir)); diff != "" {
			t.Error(diff)
		}

		in["force"] = true
		out, text, failed = s.call(t, "preview_apply", in)
		if failed || strings.Contains(text, "refuse") || len(out.Problems) > 0 {
			t.Errorf("preview: %v %s", out, text)
		}
		out, text, failed = s.call(t, "apply_builder", in)
		if failed {
			t.Fatal(text)
		}
		statuses := map[string]int{}
		for _, f := range out.Files {
			statuses[f.Status]++
		}
		if diff := cmp.Diff(map[string]int{overwritten: 1, unchanged: 5}, statuses); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestProgressRises(t *testing.T) {
	forEachTransport(t, func(t *testing.T, transport string) {
		var mu sync.Mutex
		var told []mcp.ProgressNotificationParams
		last := make(chan struct{})
		s := connect(t, transport, t.TempDir(), &mcp.ClientOptions{
			ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, *r.Params)
				if r.Params.Progress == r.Params.Total {
					close(last)
				}
			},
		})
		params := &mcp.CallToolParams{Name: "apply_builder", Arguments: arguments{"id": "supabase-auth-pages"}}
		params.SetProgressToken("p")
		if result, err := s.CallTool(t.Context(), params); err != nil || result.IsError {
			t.Fatal(err, result)
		}
		<-last
		mu.Lock()
		defer mu.Unlock()
		if len(told) != 11 {
			t.Errorf("%d notifications for 11 files", len(told))
		}
		for i, p := range told {
			if p.ProgressToken != "p" || p.Progress != float64(i+1) || p.Total != 11 || !strings.HasPrefix(p.Message, "created ") {
				t.Errorf("notification %d: %+v", i, p)
			}
		}
	})
}

// TestCallsAtOnce applies one builder many times at once, through two processes: it is
// written once, and every call says the truth about what it did.
func TestCallsAtOnce(t *testing.T) {
	forEachTransport(t, func(t *testing.T, transport string) {
		dir := t.TempDir()
		sessions := []*session{connect(t, transport, dir, nil), connect(t, transport, dir, nil)}
		var calls sync.WaitGroup
		var mu sync.Mutex
		statuses := map[string]int{}
		for i := range 8 {
			calls.Go(func() {
				result, err := sessions[i%2].CallTool(t.Context(), &mcp.CallToolParams{Name: "apply_builder", Arguments: arguments{"id": "quota-check-lib"}})
				if err != nil || result.IsError {
					t.Error(err, result)
					return
				}
				out, _, _ := answer(t, result)
				mu.Lock()
				defer mu.Unlock()
				for _, f := range out.Files {
					statuses[f.Status]++
				}
			})
		}
		calls.Wait()
		if diff := cmp.Diff(map[string]int{created: 6, unchanged: 42}, statuses); diff != "" {
			t.Error(diff)
		}
		if got := tree(t, dir); len(got) != 6 {
			t.Errorf("%d files", len(got))
		}
	})
}

package mcp_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// scripted is a server that answers each method with a text as it stands: $id is the
// request's id, $token its progress token, $cursor the page that it asks for.
type scripted struct {
	script map[string]string
	// answers answers a request before the script does; empty: it does not.
	answers func(method string, request []byte) string
	// written changes what is written, whole messages at a time.
	written func(string) string

	mu    sync.Mutex
	calls map[string]int
}

// common are the answers of a server that does nothing wrong.
var common = map[string]string{
	"server/discover":  `{"jsonrpc":"2.0","id":$id,"error":{"code":-32601,"message":"Method not found"}}`,
	"initialize":       `{"jsonrpc":"2.0","id":$id,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{},"logging":{}},"serverInfo":{"name":"scripted","version":"1"}}}`,
	"logging/setLevel": `{"jsonrpc":"2.0","id":$id,"result":{}}`,
	"ping":             `{"jsonrpc":"2.0","id":$id,"result":{}}`,
	"tools/list":       `{"jsonrpc":"2.0","id":$id,"result":{"tools":[{"name":"go","inputSchema":{"type":"object"}}]}}`,
	"tools/call":       `{"jsonrpc":"2.0","id":$id,"result":{"content":[{"type":"text","text":"done"}]}}`,
}

// says is a server that answers a method so, and everything else without a fault.
func says(method, text string) *scripted { return &scripted{script: map[string]string{method: text}} }

// answer is what the server writes for a request.
func (s *scripted) answer(request []byte) string {
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params struct {
			Cursor string `json:"cursor"`
			Meta   struct {
				Token json.RawMessage `json:"progressToken"`
			} `json:"_meta"`
		} `json:"params"`
	}
	if json.Unmarshal(request, &m) != nil || len(m.ID) == 0 {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls == nil {
		s.calls = map[string]int{}
	}
	s.calls[m.Method]++
	text, ok := s.script[m.Method]
	if !ok {
		text = common[m.Method]
	}
	if s.answers != nil {
		text = cmp.Or(s.answers(m.Method, request), text)
	}
	text = strings.NewReplacer("$id", string(m.ID), "$token", string(m.Params.Meta.Token), "$cursor", m.Params.Cursor).Replace(text)
	if s.written != nil {
		return s.written(text)
	}
	return text + "\n"
}

// count is how often a method was called.
func (s *scripted) count(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// stdio is a runner whose sessions talk to the server over pipes in memory.
func (s *scripted) stdio(t *testing.T) *mcp.Runner {
	t.Helper()
	return newRunner(t, map[string]mcp.Server{"scripted": {Type: "stdio"}}, s.piped)
}

// piped has every session talk to the server.
func (s *scripted) piped(o *mcp.Options) {
	mcp.WithPipe(o, func() (io.ReadCloser, io.WriteCloser) {
		ours, theirs := net.Pipe()
		go s.serve(theirs)
		return ours, ours
	})
}

func (s *scripted) serve(pipe net.Conn) {
	defer pipe.Close()
	in := bufio.NewScanner(pipe)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		if _, err := io.WriteString(pipe, s.answer(in.Bytes())); err != nil {
			return // the client has gone
		}
	}
}

// check compares an outcome and its log with what is wanted of them.
type check struct {
	verdict  action.Verdict
	reason   string
	result   string // the whole; empty: not looked at
	says     string // in the message; empty: there is none
	log      string // a whole line; empty: not looked at
	answered bool
}

func (c check) of(t *testing.T, out action.Outcome, rec *recorder) {
	t.Helper()
	result := ""
	if out.Result != nil {
		result = string(out.Result.Raw)
	}
	if out.Verdict != c.verdict || out.Reason != c.reason || out.Answered != c.answered || c.result != "" && result != c.result {
		t.Errorf("outcome %+v with result %s\n%s", out, result, strings.Join(rec.lines, "\n"))
	}
	if !strings.Contains(out.Message, c.says) || c.says == "" && out.Message != "" {
		t.Errorf("the message is %q, want %q in it", out.Message, c.says)
	}
	if c.log != "" && !rec.has(c.log) {
		t.Errorf("the log lacks %q:\n%s", c.log, strings.Join(rec.lines, "\n"))
	}
}

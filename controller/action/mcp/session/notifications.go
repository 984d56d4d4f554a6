package session

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"jobwright.dev/controller/action"
)

// notification takes a notification of the server. Servers write numbers as strings, and
// null for an unknown value; both are read.
func (s *Session) notification(method string, params json.RawMessage) {
	switch method {
	case "notifications/progress":
		s.progressed(params)
	case "notifications/message":
		s.logged(params)
	case "notifications/tasks/status":
		select {
		case s.changed <- struct{}{}:
		default:
		}
	case "":
		s.introduced(params)
	case "notifications/tools/list_changed":
		s.mu.Lock()
		s.stale = true
		s.mu.Unlock()
	}
}

// introduced takes the server's introduction.
func (s *Session) introduced(result json.RawMessage) {
	var said struct {
		Capabilities struct {
			Tasks struct {
				Requests struct {
					Tools struct {
						Call *struct{} `json:"call"`
					} `json:"tools"`
				} `json:"requests"`
			} `json:"tasks"`
		} `json:"capabilities"`
	}
	if json.Unmarshal(result, &said) == nil && said.Capabilities.Tasks.Requests.Tools.Call != nil {
		s.mu.Lock()
		s.tasks = true
		s.mu.Unlock()
	}
}

// progressed takes a call's progress. A session serves one call at a time, so that progress
// with a token that no request had is a sign of life of that call. The token of the call
// before is no sign of life.
func (s *Session) progressed(params json.RawMessage) {
	var p struct {
		Token    json.RawMessage `json:"progressToken"`
		Progress json.RawMessage `json:"progress"`
		Total    json.RawMessage `json:"total"`
		Message  json.RawMessage `json:"message"`
	}
	if json.Unmarshal(params, &p) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token := text(p.Token)
	if s.babbles(len(params)) {
		return
	}
	if s.sink == nil || token == s.before && token != s.token && token != "" {
		return
	}
	if token != s.token {
		s.sink.Progress(-1, "")
		return
	}
	pct := -1
	done, known := float(p.Progress)
	if total, ok := float(p.Total); ok && known && total > 0 {
		pct = int(math.Min(math.Max(done/total*100, 0), 100))
	}
	message := s.Redact(text(p.Message))
	step := message
	if step == "" {
		step = "mcp:run"
	}
	s.sink.Progress(pct, step)
	if message != "" {
		s.sink.Line(action.Server, message)
	}
}

// logged takes a log message; its data stays as the server wrote it.
func (s *Session) logged(params json.RawMessage) {
	var p struct {
		Level json.RawMessage `json:"level"`
		Data  json.RawMessage `json:"data"`
	}
	if json.Unmarshal(params, &p) != nil {
		return
	}
	level := text(p.Level)
	if level == "" {
		level = "info"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.babbles(len(params)) {
		return
	}
	eachLine(level+": "+s.Redact(text(p.Data)), func(line string) { s.hear(action.Server, line) })
}

// alives tells the call under way that its server lives.
func (s *Session) alives() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sink != nil && !s.babbles(0) {
		s.sink.Progress(-1, "")
	}
}

// text is a string, of null nothing, of any other value its JSON.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// float is a number, also one that stands in a string.
func float(raw json.RawMessage) (float64, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(text(raw)), 64)
	return f, err == nil && !math.IsNaN(f)
}

// eachLine hands over the lines of a text.
func eachLine(text string, take func(string)) {
	for line := range strings.Lines(text) {
		eachPiece([]byte(line), take)
	}
}

// eachPiece hands over words, in pieces that a line of output may be long.
func eachPiece(line []byte, take func(string)) {
	rest := strings.TrimRight(strings.ToValidUTF8(string(line), "\uFFFD"), "\r\n")
	for len(rest) > action.MaxLine {
		n := len(strings.ToValidUTF8(rest[:action.MaxLine], ""))
		take(rest[:n])
		rest = rest[n:]
	}
	if rest != "" {
		take(rest)
	}
}

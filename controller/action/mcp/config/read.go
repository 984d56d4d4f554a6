package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"jobwright.dev/api/strict"
)

const (
	// maxSessions bounds what the file may ask for; each session of a program is a process.
	maxSessions = 1000
	// maxSeconds is a day: a longer limit is a slip in the unit.
	maxSeconds = 24 * 60 * 60
	// maxItems bounds a list or a map of a server.
	maxItems = 1000
	// maxProblems bounds how many a server tells of.
	maxProblems = 20
)

// reader reads one server.
type reader struct {
	env    Surroundings
	server *Server
	tools  string            // the key that has named the tools that may be called
	file   map[string]string // the variables of envFile
}

func readServer(n node, s Surroundings) Server {
	var server Server
	s.secret = func(value string) {
		if !slices.Contains(server.Referred, value) {
			server.Referred = append(server.Referred, value)
		}
	}
	r := &reader{env: s, server: &server}
	members, ok := n.object()
	if !ok {
		r.wrong(n, "it is %s, and must be an object", n.kind())
		return server
	}
	read, seen := honoured(), map[string]bool{}
	for _, m := range members {
		switch act := read[m.name]; {
		case seen[m.name]:
			r.wrong(m.node, "the key is there twice")
		case m.node.kind() == "null" || slices.Contains(passedOver, m.name) || commented(m.name):
		case act != nil:
			act(r, m.node)
		case refused[m.name] != "":
			if !empty(m.node) {
				r.wrong(m.node, "not supported: %s", refused[m.name])
			}
		case len(server.Problems) > maxProblems: // enough is said
		default:
			r.tell(Problem{Field: m.node.path, Line: m.line, Message: unknown(m.name)})
		}
		seen[m.name] = true
	}
	r.mergeFile()
	r.complete(n)
	slices.SortStableFunc(server.Problems, func(a, b Problem) int { return a.Line - b.Line })
	return server
}

// unknown says of a key that nobody knows what may be meant.
func unknown(key string) string {
	if like := suggestion(key); like != "" {
		return fmt.Sprintf("unknown key; did you mean %s? A remark's key begins with _", like)
	}
	return fmt.Sprintf("unknown key; there are %s. A remark's key begins with _", strings.Join(slices.Sorted(maps.Keys(honoured())), ", "))
}

// unknownKey says of a key below a server's key what may be meant, unless it is a remark's.
func (r *reader) unknownKey(m member, keys ...string) {
	if commented(m.name) {
		return
	}
	message := "unknown key; there are " + strings.Join(keys, ", ")
	if like := strict.Nearest(m.name, keys); like != "" {
		message = "unknown key; did you mean " + like + "?"
	}
	r.tell(Problem{Field: m.node.path, Line: m.line, Message: message})
}

// empty reports whether a value asks for nothing.
func empty(n node) bool {
	if members, ok := n.object(); ok {
		return len(members) == 0
	}
	if elements, ok := n.list(); ok {
		return len(elements) == 0
	}
	text, _ := n.scalar()
	return text == "" || text == "false"
}

func (r *reader) wrong(n node, format string, values ...any) {
	r.tell(Problem{Field: n.path, Line: n.line(), Message: fmt.Sprintf(format, values...)})
}

// wrongFile says what is wrong with a file that a key names.
func (r *reader) wrongFile(n node, path, format string, values ...any) {
	r.tell(Problem{Field: n.path, Line: n.line(), Message: fmt.Sprintf(format, values...), Path: path})
}

// tell adds a problem, up to maxProblems of them.
func (r *reader) tell(p Problem) {
	switch n := len(r.server.Problems); {
	case n < maxProblems:
		r.server.Problems = append(r.server.Problems, p)
	case n == maxProblems:
		r.server.Problems = append(r.server.Problems, Problem{Field: p.Field, Line: p.Line, Message: "and there is more"})
	}
}

func (r *reader) warn(n node, format string, values ...any) {
	r.server.Warnings = append(r.server.Warnings, Problem{Field: n.path, Line: n.line(), Message: fmt.Sprintf(format, values...)})
}

// expanded is a text with its references replaced.
func (r *reader) expanded(n node, expand func(string) (string, error)) string {
	text, ok := n.scalar()
	if !ok {
		r.wrong(n, "it is %s, and must be a string", n.kind())
		return ""
	}
	out, err := expand(text)
	if err != nil {
		r.wrong(n, "%v", err)
	}
	if strings.ContainsRune(out, 0) {
		r.wrong(n, "it has a NUL character")
		return ""
	}
	return out
}

// texts is a list of texts; numbers and booleans are as they were written.
func (r *reader) texts(n node, expand func(string) (string, error)) []string {
	elements, ok := n.list()
	if !ok {
		r.wrong(n, "it is %s, and must be a list of strings", n.kind())
		return nil
	}
	if len(elements) > maxItems {
		r.wrong(n, "it has %d elements, and at most %d are read", len(elements), maxItems)
		return nil
	}
	out := make([]string, 0, len(elements))
	for _, element := range elements {
		out = append(out, r.expanded(element, expand))
	}
	return out
}

// pairs is a map of texts.
func (r *reader) pairs(n node, expand func(string) (string, error)) map[string]string {
	members, ok := n.object()
	if !ok {
		r.wrong(n, "it is %s, and must be an object of strings", n.kind())
		return nil
	}
	if len(members) > maxItems {
		r.wrong(n, "it has %d keys, and at most %d are read", len(members), maxItems)
		return nil
	}
	out := map[string]string{}
	for _, m := range members {
		if _, twice := out[m.name]; twice {
			r.wrong(m.node, "the key is there twice")
		}
		out[m.name] = r.expanded(m.node, expand)
	}
	return out
}

func (r *reader) values(n node) map[string]string {
	out := r.pairs(n, r.env.value)
	members, _ := n.object()
	for _, m := range members {
		if m.name == "" || strings.ContainsAny(m.name, "=\x00") {
			r.wrong(m.node, "it is no name of a variable")
		}
	}
	return out
}

func (r *reader) strings(n node) map[string]string {
	return r.pairs(n, func(text string) (string, error) { return text, nil })
}

func (r *reader) boolean(n node) bool {
	value, ok := n.boolean()
	if !ok {
		r.wrong(n, "it is %s, and must be true or false", n.kind())
	}
	return value
}

// integer is a whole number, 1 to most.
func (r *reader) integer(n node, most int) int {
	value, ok := n.integer()
	if !ok || value < 1 || value > most {
		text, _ := n.scalar()
		r.wrong(n, "Invalid value: %q: must be a whole number, 1 to %d", text, most)
		return 0
	}
	return value
}

// folder is a path, relative to where Jobwright runs.
func (r *reader) folder(n node) string {
	path := r.expanded(n, r.env.path)
	if path == "" {
		return ""
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		r.wrong(n, "%v", err)
	}
	return absolute
}

// timeout is in milliseconds for some clients (Claude Code, Gemini CLI, Amazon Q) and in
// seconds for others (Cline, Roo Code, which have at most 3600). What could be either is
// not guessed.
func (r *reader) timeout(n node) {
	const secondsBelow, millisecondsAbove = 1000, 3600
	value := r.integer(n, maxSeconds*1000)
	switch {
	case value == 0:
	case value < secondsBelow:
		r.limit(n, time.Duration(value)*time.Second)
	case value > millisecondsAbove:
		r.limit(n, time.Duration(value)*time.Millisecond)
	default:
		r.wrong(n, "Invalid value: %d: clients write seconds or milliseconds, and this may be either; write timeoutSeconds", value)
	}
}

func (r *reader) timeoutSeconds(n node) {
	r.limit(n, time.Duration(r.integer(n, maxSeconds))*time.Second)
}

func (r *reader) limit(n node, d time.Duration) {
	if r.server.Timeout != 0 {
		r.wrong(n, "timeout and timeoutSeconds exclude each other")
	}
	r.server.Timeout = d
}

func (r *reader) enabledTools(n node) {
	if r.tools != "" {
		r.wrong(n, "%s has named the tools already", r.tools)
	}
	r.tools = n.path
	tools := r.texts(n, func(text string) (string, error) { return text, nil })
	switch {
	case slices.Contains(tools, "*"):
		return
	case len(tools) == 0:
		r.warn(n, "it names none, so no tool may be called")
	}
	r.server.EnabledTools = append([]string{}, tools...)
}

func (r *reader) disabledTools(n node) {
	tools := r.texts(n, func(text string) (string, error) { return text, nil })
	r.server.DisabledTools = append(r.server.DisabledTools, tools...)
}

func (r *reader) elicitation(n node) {
	text, _ := n.text()
	r.server.Elicitation = Elicitation(text)
	if known := []Elicitation{ElicitationOff, ElicitationAnswers, ElicitationDefaults}; !slices.Contains(known, r.server.Elicitation) {
		r.wrong(n, "Unsupported value: %q: supported values: %q", text, known)
	}
}

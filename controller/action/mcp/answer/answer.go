// Package answer reads the answer of a tool, however it was written. A tool that has answered
// has done its work. So the message names the parts of the answer that cannot be read, and the
// rest is kept: no fault of an answer is a reason to call the tool again.
//
// Read knows the specification's shape of a result, and the other shapes that servers write:
// content that is one object or a string, text that is a number, isError as a string,
// base64 in other alphabets, the toolResult of the first protocol. Numbers of structured
// content stay as they were written.
package answer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Answer is the answer of a tool.
type Answer struct {
	// Content is the content of the answer, in its order.
	Content []Content
	// Structured is the structured answer, as it was written; nil: there is none.
	Structured json.RawMessage
	// Exact is Structured before a part of it was hidden, to be checked and never shown; nil:
	// nothing was hidden.
	Exact json.RawMessage
	// IsError tells that the tool itself failed.
	IsError bool
	// Raw is all of it, as it was written.
	Raw json.RawMessage
	// Odd are the deviations from the protocol, one part of a sentence each.
	Odd []string
}

// Reply is an answer with the message that it came in.
type Reply struct {
	Answer
	// Remarks are the faults of the message, Changes the changes without which it could not be
	// read, and Written is the message before them.
	Remarks, Changes []string
	Written          []byte
}

// Read reads a result of tools/call.
func Read(raw json.RawMessage) Answer {
	a := Answer{Raw: raw}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		a.odd("it is %s, not an object", kind(raw))
		a.Content = a.content(raw)
		return a
	}
	a.Content = a.content(members["content"])
	if value := members["structuredContent"]; there(value) {
		a.Structured = value
	} else if value := members["toolResult"]; there(value) {
		a.Structured = value
		a.odd("it has toolResult, as the first protocol had, instead of content")
	}
	a.IsError = a.failed(members["isError"])
	return a
}

// there reports whether a member has a value.
func there(raw json.RawMessage) bool { return len(raw) > 0 && !bytes.Equal(raw, []byte("null")) }

func (a *Answer) odd(format string, args ...any) { a.Odd = append(a.Odd, fmt.Sprintf(format, args...)) }

func (a *Answer) content(raw json.RawMessage) []Content {
	if !there(raw) {
		return nil
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		if raw[0] != '{' {
			if len(a.Odd) == 0 {
				a.odd("content is %s, not a list", kind(raw))
			}
			return []Content{{Type: Text, Text: plain(raw), Size: -1}}
		}
		a.odd("content is an object, not a list")
		items = []json.RawMessage{raw}
	}
	var out []Content
	for i, item := range items {
		out = append(out, a.item(i, item))
	}
	return out
}

// plain is a string; of another value its JSON.
func plain(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return shown(raw)
}

// failed reads isError. Whoever writes it as a string means the same by it.
func (a *Answer) failed(raw json.RawMessage) bool {
	var is bool
	if !there(raw) || json.Unmarshal(raw, &is) == nil {
		return is
	}
	a.odd("isError is %s, not true or false", kind(raw))
	word := strings.ToLower(strings.Trim(string(raw), `"`))
	return word == "true" || word == "1" || word == "yes"
}

// kind is the kind of a value, in words.
func kind(raw json.RawMessage) string {
	switch {
	case len(raw) == 0:
		return "missing"
	case raw[0] == '"':
		return "a string"
	case raw[0] == '{':
		return "an object"
	case raw[0] == '[':
		return "a list"
	case raw[0] == 't' || raw[0] == 'f':
		return "true or false"
	case raw[0] == 'n':
		return "null"
	}
	return "a number"
}

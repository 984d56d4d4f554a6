package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// message is a message of JSON-RPC as it came.
type message struct {
	Version json.RawMessage `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  json.RawMessage `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
}

var (
	bom  = []byte("\xef\xbb\xbf")
	null = []byte("null")
)

// trimmed is text without a byte order mark and space around it.
func trimmed(text []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(text), bom))
}

// forSDK are the notifications that the SDK acts on itself. It queues every other one
// without a bound.
var forSDK = map[string]bool{"notifications/cancelled": true, "notifications/elicitation/complete": true}

// receive reads a text of the server: one message, or a batch. of is the request whose HTTP
// response carries the text; nil: the text came by itself. receive returns the messages for
// the SDK, and false for a text that is no message.
func (p *Peer) receive(data []byte, of *Exchange) (messages []jsonrpc.Message, is bool) {
	text := trimmed(data)
	if len(text) == 0 {
		return nil, false
	}
	switch text[0] {
	case '{':
		return p.one(text, of)
	case '[':
		var batch []json.RawMessage
		if json.Unmarshal(text, &batch) != nil {
			return nil, false
		}
		for _, member := range batch {
			more, ok := p.one(member, of)
			messages, is = append(messages, more...), is || ok
		}
	}
	return messages, is
}

func (p *Peer) one(text []byte, of *Exchange) ([]jsonrpc.Message, bool) {
	var m message
	written := text
	var changes []string
	if !utf8.Valid(text) {
		text = bytes.ToValidUTF8(text, []byte("\uFFFD"))
		changes = append(changes, "it was not UTF-8; what is not stands as U+FFFD")
	}
	if err := json.Unmarshal(text, &m); err != nil {
		fixed, what := repaired(text)
		if len(what) == 0 || json.Unmarshal(fixed, &m) != nil {
			if bytes.Contains(text, []byte(`"jsonrpc"`)) && bytes.Contains(text, []byte(`"result"`)) {
				p.stray("what it wrote is no JSON: "+err.Error(), true)
			}
			return nil, false
		}
		text, changes = fixed, append(changes, what...)
	}
	var method string
	if len(m.Method) > 0 && json.Unmarshal(m.Method, &method) == nil && method != "" {
		return p.asked(&m, method)
	}
	messages, ex := p.answer(&m, text, of)
	if ex != nil && len(changes) > 0 {
		ex.changed(changes, written)
	}
	return messages, ex != nil
}

// asked takes a request or a notification of the server.
func (p *Peer) asked(m *message, method string) ([]jsonrpc.Message, bool) {
	versioned := string(m.Version) == `"2.0"`
	notification := len(m.ID) == 0 || bytes.Equal(m.ID, null)
	if notification && strings.HasPrefix(method, "notifications/") {
		p.opts.See(method, m.Params)
		if !forSDK[method] {
			return nil, true
		}
		return []jsonrpc.Message{&jsonrpc.Request{Method: method, Params: m.Params}}, true
	}
	if notification || !versioned {
		return nil, false // loggers write members of that name too
	}
	var id any
	if json.Unmarshal(m.ID, &id) != nil {
		return nil, false
	}
	made, err := jsonrpc.MakeID(id)
	if err != nil {
		return nil, false
	}
	return []jsonrpc.Message{&jsonrpc.Request{ID: made, Method: method, Params: m.Params}}, true
}

// answer takes an answer of the server; without an exchange, it is nobody's.
func (p *Peer) answer(m *message, text []byte, of *Exchange) ([]jsonrpc.Message, *Exchange) {
	has := func(member json.RawMessage) bool { return len(member) > 0 && !bytes.Equal(member, null) }
	lacks := false
	if string(m.Version) != `"2.0"` {
		if of == nil && !bare(text) {
			return nil, nil // a logger's line, which may well have an id and an error
		}
		if len(m.Result) == 0 && !has(m.Error) {
			return nil, nil
		}
		lacks = true
	}
	id, ex, remark := p.whose(m, of)
	if ex == nil {
		p.strayed(m)
		return nil, nil
	}
	p.forget(id)
	p.answered.Store(true)
	if remark != "" {
		ex.remark(remark)
	}
	if lacks {
		ex.remark(`it lacked jsonrpc "2.0"`)
	}
	switch {
	case has(m.Error):
		refusal := rpcError(m.Error)
		ex.finish(nil, refusal)
		return []jsonrpc.Message{&jsonrpc.Response{ID: number(id), Error: refusal}}, ex
	case len(m.Result) == 0:
		f := &Failure{Text: "with neither a result nor an error", Answered: true}
		p.fail(ex, f)
		ex.finish(nil, nil)
		return []jsonrpc.Message{broken(id, f)}, ex
	}
	ex.finish(m.Result, nil)
	if ex.method == "initialize" {
		p.opts.See("", m.Result)
	}
	return []jsonrpc.Message{&jsonrpc.Response{ID: number(id), Result: forDecoder(ex, m.Result, p.opts.Note)}}, ex
}

// bare reports whether an object has only the members of an answer.
func bare(text []byte) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return false
	}
	for name := range members {
		switch name {
		case "id", "result", "error", "jsonrpc":
		default:
			return false
		}
	}
	return true
}

// rpcError reads an error, in which servers put strings where numbers belong, and the
// other way round.
func rpcError(raw json.RawMessage) *jsonrpc.Error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return &jsonrpc.Error{Message: text}
	}
	var e struct {
		Code    json.RawMessage `json:"code"`
		Message json.RawMessage `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if json.Unmarshal(raw, &e) != nil {
		return &jsonrpc.Error{Message: short(string(raw), bodyShown)}
	}
	out := &jsonrpc.Error{Data: e.Data}
	if json.Unmarshal(e.Message, &out.Message) != nil && len(e.Message) > 0 {
		out.Message = short(string(e.Message), bodyShown)
	}
	code, number, _ := written(e.Code)
	out.Code = code
	if !number && len(e.Code) > 0 {
		out.Message = strings.TrimSpace(out.Message + " (code " + short(string(e.Code), 100) + ")")
	}
	if out.Message == "" {
		out.Message = "an error without a message"
		if len(e.Data) > 0 {
			out.Message += ", with the data " + short(string(e.Data), bodyShown)
		}
	}
	return out
}

func short(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

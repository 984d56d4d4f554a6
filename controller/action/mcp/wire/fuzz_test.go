package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// FuzzStdout has a program write anything while a call waits: whatever it is, the SDK gets
// only messages that it can read, and what is held is bounded by what was written.
func FuzzStdout(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"result":{"content":[]}}`, `{"jsonrpc":"2.0","id":"1","error":"x"}`, "{\n\"jsonrpc\":\"2.0\",\n\"id\":1,\"result\":{\"a\":NaN}}",
		"[INFO] x\n[{\"id\":1,\"result\":null}]", "\ufeff{\"id\":0,\"result\":{}}", "Content-Length: 3\r\n\r\n{}", `{"jsonrpc":"2.0","method":"notifications/progress","params":{}}`,
		`{"jsonrpc":"2.0","id":1,"method":"roots/list"}`, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\xff\\q\"}",
	} {
		f.Add([]byte(seed+"\n"), "tools/call")
		f.Add([]byte(seed), "tools/list")
	}
	f.Fuzz(func(t *testing.T, written []byte, method string) {
		words := 0
		p := NewPeer(Options{See: func(string, json.RawMessage) {}, Words: func(line []byte) { words += len(line) }})
		request := &jsonrpc.Request{ID: number(1), Method: method}
		p.sending(t.Context(), request)
		fs := newFrames(bytes.NewReader(written), func(frame []byte) bool {
			messages, is := p.receive(frame, nil)
			for _, m := range messages {
				data, err := jsonrpc.EncodeMessage(m)
				if err != nil {
					t.Fatalf("%#v cannot be encoded: %v", m, err)
				}
				if _, err := jsonrpc.DecodeMessage(data); err != nil {
					t.Fatalf("%s cannot be decoded: %v", data, err)
				}
			}
			return is
		}, p.opts.Words)
		if err := fs.run(); err == nil {
			t.Fatal("the end is no error")
		}
		if words > len(written) {
			t.Errorf("%d bytes of words out of %d", words, len(written))
		}
	})
}

// FuzzEvents reads anything as a stream of events.
func FuzzEvents(f *testing.F) {
	f.Add([]byte("\ufeffid: 1\r\nevent: message\r\ndata: {}\r\ndata: {}\r\n\r\n: c\n\ndata:x"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		events := newEvents(bytes.NewReader(stream), func() {})
		for {
			e, err := events.next()
			var out bytes.Buffer
			e.write(&out)
			if err == io.EOF { //nolint:errorlint // bufio returns it as it is
				return
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

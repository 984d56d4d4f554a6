package mcp_test

import (
	"testing"
	"testing/synctest"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// TestAnAnswerThatIsNotAsTheProtocolHasItIsRead: the tool has done its work, so whatever
// can be read of its answer is the job's result, and what is wrong is said.
func TestAnAnswerThatIsNotAsTheProtocolHasItIsRead(t *testing.T) {
	result := func(json string) string { return `{"jsonrpc":"2.0","id":$id,"result":` + json + `}` }
	ok := action.Succeeded
	for name, tc := range map[string]struct {
		answer string
		check
	}{
		"base64 for URLs is read":             {result(`{"content":[{"type":"image","data":"_-8_","mimeType":"image/png"}]}`), check{verdict: ok, result: `{"text":"(image, image/png, 3 bytes)"}`, says: "content[0].data is base64 in the alphabet for URLs"}},
		"base64 without padding is read":      {result(`{"content":[{"type":"image","data":"iVBORw0KGgo","mimeType":"image/png"}]}`), check{verdict: ok, result: `{"text":"(image, image/png, 8 bytes)"}`, says: "without its padding"}},
		"base64 over lines is read":           {result(`{"content":[{"type":"image","data":"iVBO\nRw0KGgo=\n","mimeType":"image/png"}]}`), check{verdict: ok, result: `{"text":"(image, image/png, 8 bytes)"}`, says: "over several lines"}},
		"data that is no base64 is said":      {result(`{"content":[{"type":"text","text":"see"},{"type":"image","data":"no!","mimeType":"image/png"}]}`), check{verdict: ok, result: `{"text":"see\n(image, image/png, 3 bytes)"}`, says: "content[1].data is no base64"}},
		"an unknown type is shown as it is":   {result(`{"content":[{"type":"text","text":"hello"},{"type":"video","data":"AAAA"}]}`), check{verdict: ok, result: `{"text":"hello\n{\"type\":\"video\",\"data\":\"AAAA\"}"}`, says: `content[1] has the type "video"`, log: "content: hello"}},
		"text that is a number is its digits": {result(`{"content":[{"type":"text","text":42}]}`), check{verdict: ok, result: `{"text":"42"}`, says: "content[0].text is a number"}},
		"an annotation is no part of it":      {result(`{"content":[{"type":"text","text":"hi","annotations":{"priority":"high"}}]}`), check{verdict: ok, result: `{"text":"hi"}`}},
		"content that is one object is read":  {result(`{"content":{"type":"text","text":"alone"}}`), check{verdict: ok, result: `{"text":"alone"}`, says: "content is an object, not a list"}},
		"content that is a string is read":    {result(`{"content":"plain"}`), check{verdict: ok, result: `{"text":"plain"}`, says: "content is a string, not a list"}},
		"an item that is a string is read":    {result(`{"content":["plain"]}`), check{verdict: ok, result: `{"text":"plain"}`, says: "content[0] is a string, not an object"}},
		"a result that is a string is read":   {result(`"plain"`), check{verdict: ok, result: `{"text":"plain"}`, says: "it is a string, not an object"}},
		"a result that is null is empty":      {result(`null`), check{verdict: ok, says: "it is null, not an object"}},
		"the first protocol's result is read": {result(`{"toolResult":{"a":1}}`), check{verdict: ok, result: `{"a":1}`, says: "toolResult"}},
		"no content is none":                  {result(`{}`), check{verdict: ok}},
		"content that is null is none":        {result(`{"content":null}`), check{verdict: ok}},
		"members that are null are none":      {result(`{"content":[{"type":"text","text":"hi"}],"_meta":null,"structuredContent":null}`), check{verdict: ok, result: `{"text":"hi"}`}},
		"a structured list is a result":       {result(`{"content":[{"type":"text","text":"[1,2]"}],"structuredContent":[1,2]}`), check{verdict: ok, result: `[1,2]`}},
		"isError as a string is an error":     {result(`{"content":[{"type":"text","text":"boom"}],"isError":"true"}`), check{reason: v1.ReasonToolError, says: "boom"}},
		"isError as the string false is none": {result(`{"content":[],"isError":"false"}`), check{verdict: ok, says: "isError is a string"}},
		"result and an error that is null":    {`{"jsonrpc":"2.0","id":$id,"result":{"content":[{"type":"text","text":"ok"}]},"error":null}`, check{verdict: ok, result: `{"text":"ok"}`}},
		"the answer as it was written is in the log": {
			result(`{"content":"plain"}`), check{verdict: ok, says: "not a list", log: `content: the answer as it was written: {"content":"plain"}`},
		},
		"separators that JavaScript splits lines at": {result("{\"content\":[{\"type\":\"text\",\"text\":\"a\u2028b\u2029c\"}]}"), check{verdict: ok, result: `{"text":"a\u2028b\u2029c"}`}},
		"bytes that are not UTF-8 are replaced":      {result("{\"content\":[{\"type\":\"text\",\"text\":\"caf\xe9\"}]}"), check{verdict: ok, result: "{\"text\":\"caf\uFFFD\"}", says: "it was not UTF-8"}},
		"half a surrogate is replaced":               {result(`{"content":[{"type":"text","text":"bad \ud83d nul \u0000"}]}`), check{verdict: ok, result: `{"text":"bad ` + "\uFFFD" + ` nul \u0000"}`}},
		"a tab in a string is read":                  {result("{\"content\":[{\"type\":\"text\",\"text\":\"a\tb\"}]}"), check{verdict: ok, result: `{"text":"a\tb"}`, says: "characters that JSON wants escaped"}},
		"a backslash that escapes nothing stands":    {result(`{"content":[{"type":"text","text":"C:\Windows"}]}`), check{verdict: ok, result: `{"text":"C:\\Windows"}`, says: "characters that JSON wants escaped"}},
		"a whole number keeps its digits":            {result(`{"content":[],"structuredContent":{"id":9007199254740993,"price":1.10,"n":1.0}}`), check{verdict: ok, result: `{"id":9007199254740993,"price":1.10,"n":1.0}`, log: `content: {"id":9007199254740993,"price":1.10,"n":1.0}`}},
		"a number beyond a float stays":              {result(`{"content":[],"structuredContent":{"e":1e400}}`), check{verdict: ok, result: `{"e":1e400}`}},
		"a number that JSON lacks is null": {
			result(`{"content":[],"structuredContent":{"ratio":NaN,"low":-Infinity,"text":"NaN"}}`),
			check{verdict: ok, result: `{"ratio":null,"low":null,"text":"NaN"}`, says: "NaN or Infinity", log: `content: the answer as it was written: {"jsonrpc":"2.0","id":5,"result":{"content":[],"structuredContent":{"ratio":NaN,"low":-Infinity,"text":"NaN"}}}`},
		},
		"an error's code that is a word is said": {`{"jsonrpc":"2.0","id":$id,"error":{"code":"ENOENT","message":"file not found"}}`, check{reason: v1.ReasonProtocolError, says: `file not found (code "ENOENT")`}},
		"an error without a message is said":     {`{"jsonrpc":"2.0","id":$id,"error":{"code":-32000}}`, check{reason: v1.ReasonProtocolError, says: "an error without a message (JSON-RPC error -32000)"}},
		"an error that is a string is read":      {`{"jsonrpc":"2.0","id":$id,"error":"it broke"}`, check{reason: v1.ReasonProtocolError, says: "it broke"}},
		"neither a result nor an error":          {`{"jsonrpc":"2.0","id":$id}`, check{reason: v1.ReasonProtocolError, says: `answered the call of tool go, but with neither a result nor an error`, answered: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := newRecorder()
			out := says("tools/call", tc.answer).stdio(t).Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
			tc.of(t, out, rec)
		})
	}
}

// TestAnAnswerFindsItsRequest whatever its id is, or the attempt ends within seconds.
func TestAnAnswerFindsItsRequest(t *testing.T) {
	const content = `{"content":[{"type":"text","text":"done"}]}`
	for name, tc := range map[string]struct {
		answer string
		check
		after time.Duration
	}{
		"its id as a string":                {`{"jsonrpc":"2.0","id":"$id","result":` + content + `}`, check{verdict: action.Succeeded, log: `system: the message with the answer of tool go is not as the protocol has it: its id was the string "5"`}, 0},
		"its id as a fraction":              {`{"jsonrpc":"2.0","id":$id.0,"result":` + content + `}`, check{verdict: action.Succeeded}, 0},
		"the id 0, while one request waits": {`{"jsonrpc":"2.0","id":0,"result":` + content + `}`, check{verdict: action.Succeeded, log: "system: the message with the answer of tool go is not as the protocol has it: its id was 0"}, 0},
		"no id, while one request waits":    {`{"jsonrpc":"2.0","result":` + content + `}`, check{verdict: action.Succeeded}, 0},
		"no jsonrpc member":                 {`{"id":$id,"result":` + content + `}`, check{verdict: action.Succeeded, log: `system: the message with the answer of tool go is not as the protocol has it: it lacked jsonrpc "2.0"`}, 0},
		"another version":                   {`{"jsonrpc":"1.0","id":$id,"result":` + content + `}`, check{verdict: action.Succeeded}, 0},
		"a line of a log with its id":       {`{"level":50,"id":$id,"error":"?"}` + "\n" + common["tools/call"], check{verdict: action.Succeeded, log: `stdout: {"level":50,"id":5,"error":"?"}`}, 0},
		"an answer to a request of before":  {`{"jsonrpc":"2.0","id":1,"result":{}}` + "\n" + common["tools/call"], check{verdict: action.Succeeded, result: `{"text":"done"}`}, 0},
		"a foreign id and then its own":     {`{"jsonrpc":"2.0","id":77,"result":{}}` + "\n" + common["tools/call"], check{verdict: action.Succeeded, result: `{"text":"done"}`}, 0},
		"a foreign id alone":                {`{"jsonrpc":"2.0","id":77,"result":` + content + `}`, check{reason: v1.ReasonProtocolError, says: "answered the call of tool go, but with id 77, which nobody has asked with", answered: true}, 5 * time.Second},
		"an error for nobody":               {`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`, check{reason: v1.ReasonProtocolError, says: "it answered with an error for id null: Parse error"}, 5 * time.Second},
		"no JSON":                           {`{"jsonrpc":"2.0","id":$id,"result":{"content":[undefined]}}`, check{reason: v1.ReasonProtocolError, says: "answered the call of tool go, but what it wrote is no JSON", answered: true}, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := newRecorder()
				r := says("tools/call", tc.answer).stdio(t)
				start := time.Now()
				out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
				tc.of(t, out, rec)
				if took := time.Since(start); took != tc.after {
					t.Errorf("it took %s, want %s", took, tc.after)
				}
				r.Close()
			})
		})
	}
}

// TestProgressIsReadAsServersWriteIt: numbers as strings, null for what is not known, and
// tokens that nobody has given, which are signs of life.
func TestProgressIsReadAsServersWriteIt(t *testing.T) {
	progress := func(params string) string {
		return `{"jsonrpc":"2.0","method":"notifications/progress","params":{` + params + `}}` + "\n" + common["tools/call"]
	}
	for name, tc := range map[string]struct {
		notification string
		pct          int
		log          string
	}{
		"numbers as strings":           {progress(`"progressToken":$token,"progress":"1","total":"4","message":"step 1"`), 25, "server: step 1"},
		"a total that is null":         {progress(`"progressToken":$token,"progress":1,"total":null,"message":null`), -1, ""},
		"a token that nobody gave":     {progress(`"progressToken":"mine","progress":1,"total":4,"message":"not ours"`), -1, ""},
		"a token that is missing":      {progress(`"progress":1,"total":4`), -1, ""},
		"without jsonrpc":              {`{"method":"notifications/progress","params":{"progressToken":$token,"progress":2,"total":4}}` + "\n" + common["tools/call"], 50, ""},
		"a log line keeps its numbers": {`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":{"id":9007199254740993}}}` + "\n" + common["tools/call"], 0, `server: info: {"id":9007199254740993}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := newRecorder()
			out := says("tools/call", tc.notification).stdio(t).Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
			if got := rec.pcts[len(rec.pcts)-1]; out.Verdict != action.Succeeded || got != tc.pct || tc.log != "" && !rec.has(tc.log) {
				t.Errorf("outcome %+v, progress %v, log %q", out, rec.pcts, rec.lines)
			}
			if rec.has("server: not ours") {
				t.Error("the log has what belongs to another call")
			}
		})
	}
}

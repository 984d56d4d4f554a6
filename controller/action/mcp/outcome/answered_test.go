package outcome

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/schema"
)

// lines is a sink that keeps what is logged.
type lines struct{ texts []string }

func (l *lines) Line(stream action.Stream, text string) {
	l.texts = append(l.texts, string(stream)+": "+text)
}
func (*lines) Progress(int, string) {}
func (*lines) Result(v1.JSON)       {}

func TestWhatBecomesOfAnAnswer(t *testing.T) {
	size := int64(7)
	text := func(s string) sdk.Content { return &sdk.TextContent{Text: s} }
	for name, tc := range map[string]struct {
		answer    sdk.CallToolResult
		output    string
		verdict   action.Verdict
		reason    string
		says      string
		result    string
		artifacts []v1.Artifact
		log       []string
	}{
		"words": {answer: sdk.CallToolResult{Content: []sdk.Content{text("a\nb")}}, verdict: action.Succeeded, result: `{"text":"a\nb"}`, log: []string{"content: a", "content: b"}},
		"structured, and the same in words": {
			answer:  sdk.CallToolResult{Content: []sdk.Content{text(`{"b": 2, "a": 1}`)}, StructuredContent: json.RawMessage(`{"a":1,"b":2}`)},
			verdict: action.Succeeded, result: `{"a":1,"b":2}`, log: []string{`content: {"b": 2, "a": 1}`},
		},
		"structured alone":    {answer: sdk.CallToolResult{StructuredContent: json.RawMessage(`[1]`)}, verdict: action.Succeeded, result: `[1]`, log: []string{"content: [1]"}},
		"an error with data":  {answer: sdk.CallToolResult{IsError: true, Content: []sdk.Content{text("no")}, StructuredContent: json.RawMessage(`{"code":7}`)}, reason: v1.ReasonToolError, says: "no", result: `{"code":7}`, log: []string{"content: no", `content: {"code":7}`}},
		"an error in words":   {answer: sdk.CallToolResult{IsError: true, Content: []sdk.Content{text("no")}}, reason: v1.ReasonToolError, says: "no", log: []string{"content: no"}},
		"an error in silence": {answer: sdk.CallToolResult{IsError: true}, reason: v1.ReasonToolError, says: "without a word"},
		"what is no text": {
			answer: sdk.CallToolResult{Content: []sdk.Content{
				&sdk.ImageContent{MIMEType: "image/png", Data: []byte("abc")},
				&sdk.AudioContent{MIMEType: "audio/wav", Data: []byte("ab")},
				&sdk.ResourceLink{URI: "file:///x", Name: "x", MIMEType: "text/plain", Size: &size},
				&sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: "demo://y", MIMEType: "text/plain", Text: "hello"}},
				&sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: "demo://z", Blob: []byte("abcd")}},
				&sdk.EmbeddedResource{Resource: &sdk.ResourceContents{}},
			}},
			verdict: action.Succeeded,
			artifacts: []v1.Artifact{
				{Name: "content[0]", MimeType: "image/png", SizeBytes: 3},
				{Name: "content[1]", MimeType: "audio/wav", SizeBytes: 2},
				{Name: "x", URI: "file:///x", MimeType: "text/plain", SizeBytes: 7},
				{Name: "demo://y", URI: "demo://y", MimeType: "text/plain", SizeBytes: 5},
				{Name: "demo://z", URI: "demo://z", SizeBytes: 4},
			},
			result: `{"text":"(image, image/png, 3 bytes)\n(audio, audio/wav, 2 bytes)\n(resource file:///x)\nhello\n(resource demo://z, 4 bytes)\n(an empty resource)"}`,
			log: []string{
				"content: (image, image/png, 3 bytes)", "content: (audio, audio/wav, 2 bytes)", "content: (resource file:///x)", "content: hello",
				"content: (resource demo://z, 4 bytes)", "content: (an empty resource)",
			},
		},
		"it fits the output schema": {answer: sdk.CallToolResult{StructuredContent: json.RawMessage(`{"n":1}`)}, output: `{"properties":{"n":{"type":"integer"}}}`, verdict: action.Succeeded, result: `{"n":1}`, log: []string{`content: {"n":1}`}},
		"it does not": {
			answer: sdk.CallToolResult{StructuredContent: json.RawMessage(`{"n":["x"]}`)}, output: `{"properties":{"n":{"items":{"type":"integer"}}}}`,
			verdict: action.Succeeded, says: `structuredContent.n[0]: Invalid value: "x": must be an integer, not a string`, result: `{"n":["x"]}`,
			log: []string{`content: {"n":["x"]}`, "system: The answer of tool x does not fit its own output schema:\nstructuredContent.n[0]: Invalid value: \"x\": must be an integer, not a string"},
		},
		"it is promised and missing":   {answer: sdk.CallToolResult{Content: []sdk.Content{text("a")}}, output: `{"type":"object"}`, verdict: action.Succeeded, says: "without structuredContent", result: `{"text":"a"}`, log: []string{"content: a", "system: Tool x answered without structuredContent, which its output schema promises."}},
		"an error need not fit":        {answer: sdk.CallToolResult{IsError: true, Content: []sdk.Content{text("no")}}, output: `{"type":"object"}`, reason: v1.ReasonToolError, says: "no", log: []string{"content: no"}},
		"a schema that cannot be used": {answer: sdk.CallToolResult{StructuredContent: json.RawMessage(`1`)}, output: `{"$ref":"#"}`, verdict: action.Succeeded, result: `1`, log: []string{"content: 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var output *schema.Schema
			if tc.output != "" {
				output = schema.New(decoded(t, tc.output))
			}
			log := new(lines)
			got := Answered(replied(t, &tc.answer), "x", output, log)
			if got.Verdict != tc.verdict || got.Reason != tc.reason || !strings.Contains(got.Message, tc.says) || (got.Facts[v1.FactToolError] == "true") != tc.answer.IsError {
				t.Errorf("outcome %+v", got)
			}
			result := ""
			if got.Result != nil {
				result = string(got.Result.Raw)
			}
			if diff := cmp.Diff(tc.result, result); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.artifacts, got.Artifacts); diff != "" {
				t.Errorf("artifacts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.log, log.texts); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAResultThatIsTooLargeIsInTheLog(t *testing.T) {
	log := new(lines)
	got := Answered(replied(t, &sdk.CallToolResult{StructuredContent: map[string]any{"a": strings.Repeat("x", maxResult)}}), "x", nil, log)
	if got.Verdict != action.Succeeded || got.Result != nil || !strings.Contains(got.Message, "65544 bytes, and a status keeps 65536") {
		t.Errorf("outcome %+v", got)
	}
	all := strings.Join(log.texts, "")
	if strings.Count(all, "x") < maxResult || !strings.Contains(all, "all of it is in the log") {
		t.Errorf("the log has %d bytes", len(all))
	}
}

// replied is an answer as a server writes it with the SDK.
func replied(t testing.TB, result *sdk.CallToolResult) *answer.Reply {
	t.Helper()
	raw, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	return &answer.Reply{Answer: answer.Read(raw)}
}

// decoded is a JSON text as plain Go values.
func decoded(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

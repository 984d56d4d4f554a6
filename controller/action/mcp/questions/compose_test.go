package questions

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp/display"
)

func TestWhatAQuestionIsAnsweredWith(t *testing.T) {
	const form = `{"type":"object","required":["env","count"],"properties":{
		"env":{"type":"string","enum":["test","live"]},"count":{"type":"integer","default":9007199254740993},"note":{"type":"string","default":"none"},"key":{"type":"string","format":"password","minLength":9}}}`
	for name, tc := range map[string]struct {
		schema   string
		mode     string
		answers  map[string]string
		defaults bool
		content  string // empty: it is declined
		says     string
	}{
		"from the job":                  {schema: form, answers: map[string]string{"env": `"test"`, "count": "3", "other": "1"}, content: `{"count":3,"env":"test"}`, says: "count, env from spec.build.answers"},
		"from the job and the defaults": {schema: form, answers: map[string]string{"env": `"test"`}, defaults: true, content: `{"count":9007199254740993,"env":"test","note":"none"}`, says: "env from spec.build.answers, count, note from the defaults of the question"},
		"defaults are not allowed":      {schema: form, answers: map[string]string{"env": `"test"`}, says: "spec.build.answers has no count"},
		"a required one has no default": {schema: form, defaults: true, says: "spec.build.answers has no env"},
		"an answer that does not fit":   {schema: form, answers: map[string]string{"env": `"prod"`, "count": `"x"`}, says: `spec.build.answers.count: Invalid value: "x": must be an integer, not a string; spec.build.answers.env: Unsupported value: "prod": supported values: "test", "live"`},
		"a secret that does not fit":    {schema: form, answers: map[string]string{"env": `"test"`, "count": "1", "key": `"hunter2"`}, says: "spec.build.answers.key: Invalid value: (not shown): must have at least 9 characters, not 7"},
		"nothing is required":           {schema: `{"properties":{"a":{"type":"string"}}}`, answers: map[string]string{"b": "1"}, says: "spec.build.answers has nothing that it asks for: a"},
		"only to go on":                 {schema: `{"type":"object","properties":{}}`, defaults: true, content: `{}`, says: "none from spec.build.answers"},
		"only to go on, unallowed":      {schema: `{"type":"object","properties":{}}`, says: "spec.build.answers has nothing that it asks for: none"},
		"an address":                    {schema: `null`, mode: "url", answers: map[string]string{"a": "1"}, defaults: true, says: "it wants a person to open an address, and there is none"},
	} {
		t.Run(name, func(t *testing.T) {
			answers := map[string]v1.JSON{}
			for field, answer := range tc.answers {
				answers[field] = v1.JSON{Raw: json.RawMessage(answer)}
			}
			content, given, why := compose(&sdk.ElicitParams{Mode: tc.mode, RequestedSchema: json.RawMessage(tc.schema)}, answers, tc.defaults)
			got := ""
			if why == "" {
				got = display.Compact(content)
			}
			if diff := cmp.Diff([]string{tc.content, tc.says}, []string{got, given + why}); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
	if _, _, why := compose(nil, nil, true); why == "" {
		t.Error("no question at all is answered")
	}
}

package answer

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestContent: what servers put where the protocol has something else stands in the tests
// of package mcp, which call tools; this is what an honest item becomes.
func TestContent(t *testing.T) {
	for name, tc := range map[string]struct {
		item string
		want Content
		odd  []string
	}{
		"a text":                      {`{"type":"text","text":"a"}`, Content{Type: Text, Text: "a", Size: -1}, nil},
		"an image":                    {`{"type":"image","data":"YWJj","mimeType":"image/png"}`, Content{Type: Image, MIMEType: "image/png", Size: 3}, nil},
		"one with padding":            {`{"type":"audio","data":"YWI=","mimeType":"audio/wav"}`, Content{Type: Audio, MIMEType: "audio/wav", Size: 2}, nil},
		"one without data":            {`{"type":"image","mimeType":"image/png"}`, Content{Type: Image, MIMEType: "image/png", Size: -1}, []string{"content[0].data is missing, not a string in base64"}},
		"a link":                      {`{"type":"resource_link","uri":"file:///x","name":"x","size":7}`, Content{Type: Link, Name: "x", URI: "file:///x", Size: 7}, nil},
		"a link that says no size":    {`{"type":"resource_link","uri":"file:///x"}`, Content{Type: Link, URI: "file:///x", Size: -1}, nil},
		"a resource with a text":      {`{"type":"resource","resource":{"uri":"m://t","text":"inner","mimeType":"text/plain"}}`, Content{Type: Resource, URI: "m://t", Text: "inner", MIMEType: "text/plain", Size: 5}, nil},
		"a resource with bytes":       {`{"type":"resource","resource":{"uri":"m://b","blob":"AAECAw=="}}`, Content{Type: Resource, URI: "m://b", Size: 4}, nil},
		"a resource that is none":     {`{"type":"resource"}`, Content{Type: Resource, Size: -1}, []string{"content[0].resource is missing, not an object"}},
		"a text without its type":     {`{"text":"a"}`, Content{Type: Text, Text: "a", Size: -1}, []string{"content[0] has no type"}},
		"a list where an object goes": {`[1]`, Content{Type: "a list", Text: "[1]", Size: -1}, []string{"content[0] is a list, not an object"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Read(json.RawMessage(`{"content":[` + tc.item + `]}`))
			if diff := cmp.Diff([]Content{tc.want}, got.Content); diff != "" {
				t.Errorf("content (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.odd, got.Odd); diff != "" {
				t.Errorf("odd (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzRead reads any JSON.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"content":[{"type":"image","data":"_-8_"},"x",null,{"type":"resource","resource":{"blob":1}}],"isError":"no","structuredContent":[1]}`))
	f.Add([]byte(`"x"`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) {
			return
		}
		a := Read(data)
		for _, c := range a.Content {
			if c.Size < -1 || c.Size > int64(len(data)) && c.Type != Link {
				t.Errorf("%d bytes out of %d", c.Size, len(data))
			}
		}
		if a.Structured != nil && !json.Valid(a.Structured) {
			t.Errorf("the structured answer is no JSON: %s", a.Structured)
		}
	})
}

package schema

import (
	"encoding/json"
	"testing"
)

// benchmarked is like the schema of a tool that builds something.
const benchmarked = `{"type":"object","required":["id"],"additionalProperties":false,"properties":{
	"id":{"type":"string","enum":["a","b","c"]},"variables":{"type":"object","additionalProperties":{"type":"string"}},
	"count":{"type":"integer","minimum":1},"files":{"type":"array","items":{"type":"object","properties":{"path":{"type":"string"},"bytes":{"type":"integer"}}}}}}`

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if s := New(json.RawMessage(benchmarked)); len(s.Unchecked) > 0 {
			b.Fatal(s.Unchecked)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	s, value := New(json.RawMessage(benchmarked)), map[string]any{"id": "a", "variables": map[string]any{"NAME": "health"}, "count": json.Number("3")}
	for b.Loop() {
		if found := s.Check(value); found != nil {
			b.Fatal(found)
		}
	}
}

package mcp

import (
	"encoding/json"
	"strings"

	v1 "jobwright.dev/api/v1"
)

// told are the words of a job that its server gets: as text, and as JSON writes them.
func told(build *v1.BuildAction) string {
	var words strings.Builder
	encoder := json.NewEncoder(&words)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(build); err != nil {
		return "" // a spec that was stored can be written
	}
	var value any
	if json.Unmarshal([]byte(words.String()), &value) == nil {
		texts(&words, value)
	}
	return words.String()
}

func texts(words *strings.Builder, value any) {
	switch v := value.(type) {
	case string:
		words.WriteString("\n" + v)
	case []any:
		for _, item := range v {
			texts(words, item)
		}
	case map[string]any:
		for key, item := range v {
			words.WriteString("\n" + key)
			texts(words, item)
		}
	}
}

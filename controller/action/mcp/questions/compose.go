package questions

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/schema"
)

// compose makes the answer to a question, and says in words where its fields come from; or
// it says why there is none.
func compose(params *sdk.ElicitParams, answers map[string]v1.JSON, defaults bool) (content map[string]any, given, why string) {
	if params == nil || params.URL != "" || params.Mode == "url" {
		return nil, "", "it wants a person to open an address, and there is none"
	}
	form, err := formOf(params.RequestedSchema)
	if err != nil {
		return nil, "", err.Error()
	}
	properties, _ := form["properties"].(map[string]any)
	required, _ := form["required"].([]any)
	content = map[string]any{}
	var own, fallbacks, none []string
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if answer, ok := answers[name]; ok {
			if content[name], err = schema.Exact(answer.Raw); err != nil {
				return nil, "", fmt.Sprintf("spec.build.answers%s is no JSON", schema.Fields([]any{name}))
			}
			own = append(own, name)
			continue
		}
		fallback, ok := defaultOf(properties[name])
		switch {
		case ok && defaults:
			content[name] = fallback
			fallbacks = append(fallbacks, name)
		case slices.Contains(required, any(name)):
			none = append(none, name)
		}
	}
	switch {
	case len(none) > 0:
		return nil, "", "spec.build.answers has no " + display.Names(none)
	case len(own) == 0 && !defaults:
		return nil, "", "spec.build.answers has nothing that it asks for: " + display.Names(slices.Sorted(maps.Keys(properties)))
	}
	var wrong []string
	for _, v := range schema.New(form).Check(content) {
		wrong = append(wrong, "spec.build.answers"+schema.Fields(v.Path)+": "+v.Text)
	}
	if len(wrong) > 0 {
		return nil, "", display.Short(strings.Join(wrong, "; "), display.MaxMessage)
	}
	given = fmt.Sprintf("%s from spec.build.answers", display.Names(own))
	if len(fallbacks) > 0 {
		given += fmt.Sprintf(", %s from the defaults of the question", display.Names(fallbacks))
	}
	return content, given, ""
}

// formOf is a question's schema, with its numbers as they are written.
func formOf(requested any) (map[string]any, error) {
	data, err := json.Marshal(requested)
	if err != nil {
		return nil, fmt.Errorf("its schema is no JSON: %w", err)
	}
	decoded, err := schema.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("its schema is no JSON: %w", err)
	}
	form, _ := decoded.(map[string]any) // none: it asks for nothing but to go on
	return form, nil
}

func defaultOf(property any) (any, bool) {
	rule, _ := property.(map[string]any)
	value, ok := rule["default"]
	return value, ok
}

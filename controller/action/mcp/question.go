package mcp

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/schema"
)

// answering gives the session what the job under way answers to questions.
func (s *session) answering(answers map[string]v1.JSON) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.questions = &questions{answers: answers, asked: map[string]bool{}}
}

// asking is the questions of the call under way.
func (s *session) asking() *questions {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.questions
}

// answer answers a server's question (elicitation/create): from the job's answers, and
// from the defaults of the question's schema where the operator allows it. A question that
// is not covered so is declined, and so is what would not fit its schema.
func (s *session) answer(params *sdk.ElicitParams) *sdk.ElicitResult {
	under := s.asking()
	if under == nil {
		under = &questions{} // no call is under way
	}
	asked := ""
	if params != nil {
		asked = ", " + display.Quoted(params.Message)
	}
	content, given, why := map[string]any(nil), "", `the operator does not let it ask ("elicitation" in the --mcp-config file)`
	if s.server.Asks() {
		content, given, why = compose(params, under.answers, s.server.Elicitation == config.ElicitationDefaults)
	}
	if params != nil && s.server.Asks() {
		if form, err := formOf(params.RequestedSchema); err == nil {
			properties, _ := form["properties"].(map[string]any)
			under.ask(slices.Collect(maps.Keys(properties)))
		}
	}
	if why != "" {
		under.decline(why)
		s.note("the server asked a question (elicitation/create" + asked + "); declined: " + why)
		return &sdk.ElicitResult{Action: "decline"}
	}
	s.note("the server asked a question (elicitation/create" + asked + "); answered: " + given)
	return &sdk.ElicitResult{Action: "accept", Content: content}
}

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
			if content[name], err = exact(answer); err != nil {
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

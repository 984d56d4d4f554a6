package questions

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/schema"
)

// maxDeclined bounds how many declined questions a message tells of.
const maxDeclined = 10

// Questions are what a server asks during one call, beside the answers that the job has.
type Questions struct {
	answers map[string]v1.JSON

	mu       sync.Mutex
	asked    map[string]bool // the fields of all questions
	declined []string        // why questions were declined that the job could not answer
}

// New returns the questions of a call that begins.
func New(answers map[string]v1.JSON) *Questions {
	return &Questions{answers: answers, asked: map[string]bool{}}
}

// Answer answers a question (elicitation/create) as the operator's file lets it be
// answered. The note says which question was answered with what, or why it was declined.
// Without a Questions no call is under way.
func (q *Questions) Answer(params *sdk.ElicitParams, server config.Server) (result *sdk.ElicitResult, note string) {
	if q == nil {
		q = New(nil)
	}
	asked := ""
	if params != nil {
		asked = ", " + display.Quoted(params.Message)
	}
	content, given, why := map[string]any(nil), "", `the operator does not let it ask ("elicitation" in the --mcp-config file)`
	if server.Asks() {
		content, given, why = compose(params, q.answers, server.Elicitation == config.ElicitationDefaults)
	}
	if params != nil && server.Asks() {
		if form, err := formOf(params.RequestedSchema); err == nil {
			properties, _ := form["properties"].(map[string]any)
			q.ask(slices.Collect(maps.Keys(properties)))
		}
	}
	if why != "" {
		q.decline(why)
		return &sdk.ElicitResult{Action: "decline"}, "the server asked a question (elicitation/create" + asked + "); declined: " + why
	}
	return &sdk.ElicitResult{Action: "accept", Content: content}, "the server asked a question (elicitation/create" + asked + "); answered: " + given
}

func (q *Questions) ask(fields []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, field := range fields {
		if _, ok := q.answers[field]; ok {
			q.asked[field] = true
		}
	}
}

func (q *Questions) decline(why string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.declined) < maxDeclined && !slices.Contains(q.declined, why) {
		q.declined = append(q.declined, why)
	}
}

// Remark adds to an outcome's message which of the job's answers were of no use: those that
// did not fit, and those that nothing asked for.
func (q *Questions) Remark(outcome action.Outcome) action.Outcome {
	if q == nil || len(q.answers) == 0 {
		return outcome
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	var notes []string
	if outcome.Message != "" {
		notes = append(notes, outcome.Message)
	}
	for _, why := range q.declined {
		notes = append(notes, "A question of the server was declined: "+why+".")
	}
	var unused []string
	for _, field := range slices.Sorted(maps.Keys(q.answers)) {
		if !q.asked[field] {
			unused = append(unused, "spec.build.answers"+schema.Fields([]any{field}))
		}
	}
	if len(unused) > 0 {
		notes = append(notes, fmt.Sprintf("Not used, because no question asked for it: %s.", strings.Join(unused, ", ")))
	}
	outcome.Message = display.Clip(strings.Join(notes, "\n"), display.MaxMessage)
	return outcome
}

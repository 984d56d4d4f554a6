package mcp

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/schema"
)

// questions are what the server has asked during one call, beside the answers that the job
// has for it.
type questions struct {
	answers map[string]v1.JSON

	mu       sync.Mutex
	asked    map[string]bool // the fields of all questions
	declined []string        // why questions were declined that the job could not answer
}

func (q *questions) ask(fields []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, field := range fields {
		if _, ok := q.answers[field]; ok {
			q.asked[field] = true
		}
	}
}

func (q *questions) decline(why string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.declined) < maxRounds && !slices.Contains(q.declined, why) {
		q.declined = append(q.declined, why)
	}
}

// remark adds to an outcome's message which of the job's answers were of no use: those that
// did not fit, and those that nothing asked for.
func (q *questions) remark(outcome action.Outcome) action.Outcome {
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

package apicall

import (
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// Type is the action api_call, as r carries it out.
func (r *Runner) Type() action.Type {
	return action.Type{Name: v1.JobTypeAPICall, Runner: r, Plan: r.Plan, Keeper: r}
}

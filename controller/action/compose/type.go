package compose

import (
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// Type is the action deploy, as r carries it out.
func (r *Runner) Type() action.Type {
	return action.Type{Name: v1.JobTypeDeploy, Runner: r, Key: r.Key, Plan: r.Plan}
}

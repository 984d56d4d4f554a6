package mcp

import (
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// Type is the action build, as r carries it out.
func (r *Runner) Type() action.Type {
	return action.Type{Name: v1.JobTypeBuild, Runner: r, Key: r.Key, Plan: r.Plan, Keeper: r, Close: r.Close}
}

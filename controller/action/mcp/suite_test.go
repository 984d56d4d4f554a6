package mcp_test

import (
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/actiontest"
	"jobwright.dev/controller/action/mcp"
)

func TestSuite(t *testing.T) {
	job := func(b v1.BuildAction) *v1.Job { return attempt(&b).Job }
	actiontest.Run(t, actiontest.Harness{
		Runner:  newRunner(t, map[string]mcp.Server{"fake": self(t, "1")}),
		Success: job(v1.BuildAction{Action: "ok"}),
		Failure: job(v1.BuildAction{Action: "tool-error"}),
		Endless: job(v1.BuildAction{Action: "canceled"}),
		Running: func(text string) bool { return text == "waiting" },
		Bad: map[string]*v1.Job{
			"no such server": job(v1.BuildAction{Server: "none", Action: "ok"}),
			"no such tool":   job(v1.BuildAction{Action: "none"}),
		},
	})
}

package print

import (
	"strings"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
)

// TestIdleLimitIsSaid: what holds, and who has decided it; a job that an earlier version
// created has none.
func TestIdleLimitIsSaid(t *testing.T) {
	build := v1.JobSpec{Type: v1.JobTypeBuild, Build: &v1.BuildAction{}}
	with := func(spec v1.JobSpec, seconds int64) v1.JobSpec {
		spec.IdleTimeoutSeconds = &seconds
		return spec
	}
	for name, tc := range map[string]struct {
		spec v1.JobSpec
		old  bool
		want string
	}{
		"a build":                      {build, false, "900 s without output or progress (the default;"},
		"a build that says less":       {with(build, 5), false, "5 s without output or progress (spec.idleTimeoutSeconds)"},
		"a build that says none":       {with(build, 0), false, "none (spec.idleTimeoutSeconds is 0)"},
		"a build of before":            {build, true, "none (the job is from before there was a default;"},
		"a build of before with limit": {with(build, 5), true, "5 s without output or progress (spec.idleTimeoutSeconds)"},
		"a deploy":                     {v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &v1.DeployAction{}}, false, "those of its stages"},
		"a call":                       {v1.JobSpec{Type: v1.JobTypeAPICall, APICall: &v1.APICallAction{URL: "http://a"}}, false, "spec.apiCall.timeoutSeconds for each request"},
		"a record":                     {v1.JobSpec{Type: v1.JobTypeAPICall}, false, ""},
	} {
		job := &v1.Job{Spec: tc.spec}
		if !tc.old {
			job.Status = job.InitialStatus()
		}
		if got := idleLimit(v1.Payloads(), job); !strings.HasPrefix(got, tc.want) || tc.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestLabelsAreDescribedInOrder(t *testing.T) {
	obj := &v1.Workspace{}
	obj.Labels = map[string]string{"team": "web", "app": "shop", "env": "test", "zone": "a"}
	for range 8 { // a map has no order, so once is no proof
		var out strings.Builder
		if err := Description(&out, v1.Kinds(), obj, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "app=shop, env=test, team=web, zone=a") {
			t.Fatalf("labels in another order:\n%s", out.String())
		}
	}
}

package client_test

import (
	"testing"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
)

func TestTheRevisionThatUndoesADeploy(t *testing.T) {
	deploy := func(phase v1.JobPhase, revision float64) *v1.Job {
		job := &v1.Job{Spec: v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &v1.DeployAction{}}, Status: v1.JobStatus{Phase: phase}}
		if revision > 0 {
			result, err := v1.NewJSON(map[string]any{"project": "shop", "revision": revision})
			if err != nil {
				t.Fatal(err)
			}
			job.Status.Result = &result
		}
		return job
	}
	whole := []v1.Revision{{Number: 4}, {Number: 3}, {Number: 2}}
	damaged := []v1.Revision{{Number: 4, Damaged: "no file"}, {Number: 3, Damaged: "no file"}, {Number: 2}}
	for name, tc := range map[string]struct {
		list []v1.Revision
		job  *v1.Job
		want int64
	}{
		"a project goes back by one":                     {whole, nil, 3},
		"a project skips what is damaged":                {damaged, nil, 2},
		"a deploy that succeeded goes before its own":    {whole, deploy(v1.JobSucceeded, 3), 2},
		"a deploy that changed nothing goes back by one": {whole, deploy(v1.JobSucceeded, 0), 3},
		"a deploy that failed brings the newest back":    {whole, deploy(v1.JobFailed, 0), 4},
		"a deploy that failed skips what is damaged":     {damaged, deploy(v1.JobFailed, 0), 2},
		"a canceled deploy counts as one that failed":    {whole, deploy(v1.JobCanceled, 0), 4},
		"before the oldest there is none":                {whole, deploy(v1.JobSucceeded, 2), 0},
		"a project without revisions has none":           {nil, nil, 0},
		"the only revision cannot be undone":             {whole[:1], nil, 0},
	} {
		if got := client.RollbackTarget(tc.list, tc.job); got != tc.want {
			t.Errorf("%s: revision %d, want %d", name, got, tc.want)
		}
	}
}

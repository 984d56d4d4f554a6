package dispatch

import (
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/schedule"
)

func TestWhatBlocksAJobInSingularAndPlural(t *testing.T) {
	job := &v1.Job{Spec: v1.JobSpec{RateLimit: &v1.RateLimit{Key: "api", PerSeconds: 60}}}
	job.Namespace = "acme"
	for want, tc := range map[string]struct {
		block    schedule.Block
		position int
	}{
		"The one slot of the server is taken;":          {schedule.Block{Cause: schedule.Slots, Limit: 1}, 0},
		"All 2 slots of the server are taken;":          {schedule.Block{Cause: schedule.Slots, Limit: 2}, 0},
		"About 1 job starts first:":                     {schedule.Block{Cause: schedule.Others}, 1},
		"About 2 jobs start first:":                     {schedule.Block{Cause: schedule.Others}, 2},
		"Workspace acme runs 1 job, its":                {schedule.Block{Cause: schedule.MaxRunning, Have: 1, Limit: 1}, 0},
		"Workspace acme runs 2 jobs, its":               {schedule.Block{Cause: schedule.MaxRunning, Have: 2, Limit: 2}, 0},
		`Rate limit "api" allows 1 start in 60 s; the`:  {schedule.Block{Cause: schedule.RateWindow, Limit: 1}, 0},
		`Rate limit "api" allows 3 starts in 60 s; the`: {schedule.Block{Cause: schedule.RateWindow, Limit: 3}, 0},
	} {
		if got := sentence(job, tc.block, tc.position, "", ""); !strings.HasPrefix(got, want) {
			t.Errorf("sentence = %q, want %q…", got, want)
		}
	}
}

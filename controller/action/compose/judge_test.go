package compose

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
)

func TestWhoseProjectsAreIsTakenFromFinishedDeploys(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	// job is one that ended some minutes after the start; result "": it has none.
	job := func(workspace string, verb v1.DeployVerb, phase v1.JobPhase, project, result string, minutes int) *v1.Job {
		j := &v1.Job{Spec: v1.JobSpec{Deploy: &v1.DeployAction{Verb: verb, ProjectName: project}}}
		j.Namespace, j.Status.Phase = workspace, phase
		if phase.Terminal() {
			at := metav1.NewMicroTime(start.Add(time.Duration(minutes) * time.Minute))
			j.Status.CompletionTime = &at
		}
		if result != "" {
			j.Status.Result = &v1.JSON{Raw: []byte(result)}
		}
		return j
	}
	named := `{"project": "shop", "revision": 1}`
	for name, tc := range map[string]struct {
		jobs []*v1.Job
		want map[string]string
	}{
		"the workspace that deployed it":               {[]*v1.Job{job("acme", v1.DeployUp, v1.JobSucceeded, "", named, 1)}, map[string]string{"shop": "acme"}},
		"a success without a result":                   {[]*v1.Job{job("acme", v1.DeployUp, v1.JobSucceeded, "shop", "", 1)}, map[string]string{"shop": "acme"}},
		"what compose calls it, not what the spec may": {[]*v1.Job{job("acme", v1.DeployUp, v1.JobSucceeded, "other", named, 1)}, map[string]string{"shop": "acme"}},
		"a deploy that was rolled back":                {[]*v1.Job{job("acme", v1.DeployUp, v1.JobFailed, "shop", named, 1)}, map[string]string{"shop": "acme"}},
		"a rollback":                                   {[]*v1.Job{job("acme", v1.DeployRollback, v1.JobSucceeded, "shop", named, 1)}, map[string]string{"shop": "acme"}},
		"the newest of several": {[]*v1.Job{
			job("other", v1.DeployUp, v1.JobSucceeded, "shop", named, 1), job("acme", v1.DeployUp, v1.JobSucceeded, "shop", named, 3), job("third", v1.DeployUp, v1.JobSucceeded, "shop", named, 2),
		}, map[string]string{"shop": "acme"}},
		"a refused deploy proves nothing": {[]*v1.Job{
			job("acme", v1.DeployUp, v1.JobSucceeded, "shop", named, 1), job("other", v1.DeployUp, v1.JobFailed, "shop", "", 2),
		}, map[string]string{"shop": "acme"}},
		"a stop makes nobody an owner":    {[]*v1.Job{job("other", v1.DeployStop, v1.JobSucceeded, "shop", "", 1)}, map[string]string{}},
		"a job that has not ended":        {[]*v1.Job{job("acme", v1.DeployUp, v1.JobRunning, "shop", named, 1)}, map[string]string{}},
		"a job that deploys nothing":      {[]*v1.Job{{}}, map[string]string{}},
		"a success without a name at all": {[]*v1.Job{job("acme", v1.DeployUp, v1.JobSucceeded, "", "", 1)}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			var d Deployers
			for _, j := range tc.jobs {
				d.Add(j)
			}
			got := map[string]string{}
			for project, owner := range d.Owners() {
				got[project] = owner.Workspace
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAProjectThatRunsIsNobodyElsesAfterARestore loses every record of the project that runs,
// as a restore of a backup file does, and judges it by the job that deployed it.
func TestAProjectThatRunsIsNobodyElsesAfterARestore(t *testing.T) {
	s := onPlayground(t, web)
	outcome := s.up()
	if outcome.Verdict != action.Succeeded {
		t.Fatalf("%+v\n%s", outcome, s.log)
	}
	done := s.attempt(v1.DeployUp).Job.DeepCopy()
	at := metav1.NowMicro()
	done.Namespace, done.Status.Phase, done.Status.Result, done.Status.CompletionTime = "acme", v1.JobSucceeded, outcome.Result, &at

	restored, err := revisions.Open(t.TempDir(), 3)
	if err != nil {
		t.Fatal(err)
	}
	s.r.revisions = restored
	var d Deployers
	d.Add(done)
	if judged, err := restored.Judge(d.Owners()); err != nil || len(judged) != 1 {
		t.Fatalf("judged %v, %v", judged, err)
	}
	before, _, _ := s.runs("web")
	for _, verb := range []v1.DeployVerb{v1.DeployUp, v1.DeployDown, v1.DeployStop, v1.DeployStart, v1.DeployRestart, v1.DeployBuild, v1.DeployPull, v1.DeployRollback, v1.DeployPs} {
		if o := s.run("other", verb, nil); o.Reason != v1.ReasonInvalidArguments {
			t.Errorf("%s of another workspace's project: %+v", verb, o)
		}
	}
	a := s.attempt(v1.DeployUp)
	a.Job.Namespace = "other"
	if o, err := s.r.Recover(t.Context(), a); err != nil || o.Verdict != action.Lost {
		t.Errorf("the recovery of another workspace's deploy: %+v, %v", o, err)
	}
	if owner, err := restored.Owner(s.name); err != nil || owner.Workspace != "acme" {
		t.Errorf("the project is of %+v, %v", owner, err)
	}
	if after, states, _ := s.runs("web"); !cmp.Equal(before, after) || !cmp.Equal(states, []string{"running"}) {
		t.Errorf("the project was changed: %v, then %v %v", before, after, states)
	}
	if o := s.up(); o.Verdict != action.Succeeded {
		t.Errorf("the owner's deploy: %+v\n%s", o, s.log)
	}
}

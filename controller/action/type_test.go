package action_test

import (
	"context"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

type runner struct{ action.Runner }

func TestASetIsChecked(t *testing.T) {
	for name, tc := range map[string]struct {
		set  action.Set
		says string
	}{
		"an action without a name":  {action.Set{{Runner: runner{}}}, "action 0 has no name"},
		"an action without Runner":  {action.Set{{Name: "nap"}}, "action nap has no Runner"},
		"an action that is twice":   {action.Set{{Name: "nap", Runner: runner{}}, {Name: "nap", Runner: runner{}}}, "action nap is registered twice"},
		"two actions":               {action.Set{{Name: "nap", Runner: runner{}}, {Name: "sip", Runner: runner{}}}, ""},
		"a set without any actions": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			said := ""
			if err := tc.set.Check(); err != nil {
				said = err.Error()
			}
			if said != tc.says {
				t.Errorf("%q, want %q", said, tc.says)
			}
		})
	}
}

func TestWhatASetAnswersForAJob(t *testing.T) {
	plan := &v1.Plan{Valid: true}
	set := action.Set{
		{Name: "nap", Runner: runner{}},
		{
			Name: "sip", Runner: runner{},
			Key:  func(j *v1.Job) action.Key { return action.Key{Name: "sip/" + j.Name, Limit: 1} },
			Plan: func(context.Context, *v1.Job) (*v1.Plan, error) { return plan, nil },
		},
	}
	for jobType, want := range map[v1.JobType]struct {
		key  string
		plan *v1.Plan
		says string
	}{
		"sip": {"sip/one", plan, ""},
		"nap": {"", nil, "jobs of type nap cannot tell what they would do"},
		"nip": {"", nil, `this server runs no jobs of type "nip"; it runs nap, sip`},
	} {
		t.Run(string(jobType), func(t *testing.T) {
			job := &v1.Job{Spec: v1.JobSpec{Type: jobType}}
			job.Name = "one"
			if got := set.Key(job); got.Name != want.key {
				t.Errorf("key %+v, want %q", got, want.key)
			}
			got, err := set.Plan(t.Context(), job)
			if got != want.plan || (err == nil) != (want.says == "") || err != nil && !strings.Contains(err.Error(), want.says) {
				t.Errorf("plan %+v, %v, want %q", got, err, want.says)
			}
		})
	}
}

func TestASetClosesTheLastFirst(t *testing.T) {
	var closed []string
	closes := func(name string) func() { return func() { closed = append(closed, name) } }
	action.Set{{Name: "a", Close: closes("a")}, {Name: "b"}, {Name: "c", Close: closes("c")}}.Close()
	if strings.Join(closed, "") != "ca" {
		t.Errorf("closed %v", closed)
	}
}

func TestFactsAreNotChangedInPlace(t *testing.T) {
	one := action.Facts(nil).With(v1.FactHTTPStatus, 503)
	two := one.With(v1.FactToolError, true).With(v1.FactHTTPStatus, int32(500))
	if len(one) != 1 || one.Number(v1.FactHTTPStatus) != 503 || one.Number(v1.FactRPCCode) != 0 {
		t.Errorf("%v", one)
	}
	if two[v1.FactToolError] != "true" || two.Number(v1.FactHTTPStatus) != 500 {
		t.Errorf("%v", two)
	}
}

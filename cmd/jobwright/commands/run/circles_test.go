package run

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
)

func TestJobsOfOneFileThatWaitForEachOther(t *testing.T) {
	job := func(name string, depends ...string) *v1.Job {
		j := &v1.Job{}
		j.Name, j.Namespace = name, "acme"
		for _, on := range depends {
			j.Spec.DependsOn = append(j.Spec.DependsOn, v1.JobDependency{Name: on})
		}
		return j
	}
	elsewhere := job("a", "b")
	elsewhere.Namespace = "other"
	for name, tc := range map[string]struct {
		jobs []*v1.Job
		want map[string]string
	}{
		"a chain has no circle":                                  {[]*v1.Job{job("a"), job("b", "a"), job("c", "a", "b", "unknown")}, map[string]string{}},
		"two jobs":                                               {[]*v1.Job{job("a", "b"), job("b", "a"), job("c", "a")}, map[string]string{"acme/a": "a → b → a", "acme/b": "a → b → a"}},
		"three, entered from outside":                            {[]*v1.Job{job("x", "b"), job("a", "b"), job("b", "c"), job("c", "a")}, map[string]string{"acme/a": "b → c → a → b", "acme/b": "b → c → a → b", "acme/c": "b → c → a → b"}},
		"jobs of the same name in two workspaces":                {[]*v1.Job{elsewhere, job("b", "a")}, map[string]string{}},
		"a job that names itself is for the server's validation": {[]*v1.Job{job("a", "a")}, map[string]string{}},
		"jobs without names":                                     {[]*v1.Job{job("", "a"), job("a", "")}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, circles(tc.jobs)); diff != "" {
				t.Errorf("circles (-want +got):\n%s", diff)
			}
		})
	}
}

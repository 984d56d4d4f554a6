package v1

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestProblemsAreBounded: whatever is sent, at most a hundred problems are said and one
// more that counts the rest, in an answer of some tens of kilobytes.
func TestProblemsAreBounded(t *testing.T) {
	many := func(n int, name string) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[fmt.Sprintf(name, i)] = "-"
		}
		return m
	}
	for name, change := range map[string]func(*Job){
		"139 kB of bad labels":   func(j *Job) { j.Labels = many(10_000, "-/%010d") },
		"bad annotation names":   func(j *Job) { j.Annotations = many(10_000, "-/%010d") },
		"bad owner references":   func(j *Job) { j.OwnerReferences = make([]metav1.OwnerReference, 10_000) },
		"bad finalizers":         func(j *Job) { j.Finalizers = strings.Split(strings.Repeat("-/,", 10_000), ",") },
		"one very long name":     func(j *Job) { j.Labels = map[string]string{strings.Repeat("ö", 200_000): "x"} },
		"very long values":       func(j *Job) { j.Spec.Deploy.Services = []string{strings.Repeat("-", 200_000)} },
		"services without names": func(j *Job) { j.Spec.Deploy.Services = make([]string, 100_000) },
		"a list as the value": func(j *Job) {
			j.Spec.Deploy.Verb, j.Spec.Deploy.Services = DeployDown, []string{"a"}
			j.Spec.Deploy.ExtraArgs = []string{"--volumes", "--timeout=" + strings.Repeat("1", 4000)}
		},
		"bad dependencies": func(j *Job) { j.Spec.DependsOn = make([]JobDependency, 10_000) },
	} {
		t.Run(name, func(t *testing.T) {
			old := &Job{
				ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "acme"},
				Spec:       JobSpec{Type: JobTypeDeploy, Deploy: &DeployAction{Verb: DeployUp}},
			}
			j := old.DeepCopy()
			change(j)
			for where, errs := range map[string]interface{ Error() string }{
				"created": ValidateJob(j).ToAggregate(), "updated": Payloads().validateJobUpdate(j, old).ToAggregate(),
			} {
				if len(errs.Error()) > 60_000 {
					t.Errorf("%s: the answer has %d bytes", where, len(errs.Error()))
				}
			}
			if n := len(ValidateJob(j)); n < 1 || n > maxProblems+1 {
				t.Errorf("%d problems", n)
			}
		})
	}
}

// TestEveryProblemIsCounted: what is not said is counted.
func TestEveryProblemIsCounted(t *testing.T) {
	j := &Job{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "acme"}, Spec: JobSpec{Type: JobTypeDeploy, Deploy: &DeployAction{Verb: DeployUp}}}
	for range 250 {
		j.Spec.Deploy.Services = append(j.Spec.Deploy.Services, "")
	}
	errs := ValidateJob(j) // too many, 250 empty ones, 249 of them twice
	if len(errs) != maxProblems+1 || !strings.Contains(errs[maxProblems].Error(), "at least 400 more") {
		t.Errorf("%d problems, the last: %v", len(errs), errs[len(errs)-1])
	}
}

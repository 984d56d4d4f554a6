package compose

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/secrets"
)

// told is a Sink that keeps every text.
type told struct{ strings.Builder }

func (o *told) Line(_ action.Stream, text string) { fmt.Fprintln(o, text) }
func (o *told) Progress(_ int, step string)       { fmt.Fprintln(o, step) }
func (o *told) Result(result v1.JSON)             { fmt.Fprintln(o, string(result.Raw)) }

// oracle is a Runner whose docker repeats what it is given and says what lies in leak, and
// fails; the secret is that of workspace beta.
func oracle(t *testing.T, secret, leak string) *Runner {
	t.Helper()
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("compose.yml", "services: {web: {image: web}}\n", 0o600)
	docker := write("docker", "#!/bin/sh\necho \"cannot do $*\" >&2\necho \"TAG is $TAG\" >&2\ncat "+write("leak", leak+"\n", 0o600)+" >&2\nexit 1\n", 0o700)
	known, err := secrets.Load(write("secrets.yaml", "beta-password: {value: '"+secret+"', workspaces: [beta]}\n", 0o600))
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Options{Roots: []string{dir}, Worker: "w", Docker: docker, Secrets: known})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// answer is all that a client of workspace alpha is told of a deploy, planned and run.
func answer(t *testing.T, r *Runner, deploy v1.DeployAction) string {
	t.Helper()
	job := &v1.Job{ObjectMeta: metav1.ObjectMeta{Name: "guess", Namespace: "alpha", UID: "u"}, Spec: v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &deploy}}
	var all told
	plan, err := r.Plan(t.Context(), job)
	fmt.Fprintln(&all, err)
	if plan != nil {
		fmt.Fprintln(&all, plan.Problems, plan.Changes)
	}
	outcome := r.Run(t.Context(), action.Attempt{ID: "a-1", Job: job}, &all)
	fmt.Fprintln(&all, outcome.Message)
	return all.String()
}

// TestAGuessTellsNothingOfAnotherWorkspacesSecret plays the oracle: a client guesses the
// secret byte by byte, in every field that comes back, and looks whether a right guess is
// answered otherwise than a wrong one.
func TestAGuessTellsNothingOfAnotherWorkspacesSecret(t *testing.T) {
	const secret = "hunter2-is-long"
	r := oracle(t, secret, "nothing")
	fields := map[string]func(word string) v1.DeployAction{
		"composePath": func(w string) v1.DeployAction {
			return v1.DeployAction{Verb: v1.DeployUp, ComposePath: w + "/compose.yml"}
		},
		"its end": func(w string) v1.DeployAction { return v1.DeployAction{Verb: v1.DeployUp, ComposePath: "app/" + w} },
		"projectName": func(w string) v1.DeployAction {
			return v1.DeployAction{Verb: v1.DeployPs, ComposePath: "compose.yml", ProjectName: w}
		},
		"services": func(w string) v1.DeployAction {
			return v1.DeployAction{Verb: v1.DeployPs, ComposePath: "compose.yml", Services: []string{w}}
		},
		"env": func(w string) v1.DeployAction {
			return v1.DeployAction{Verb: v1.DeployPs, ComposePath: "compose.yml", Env: []v1.DeployEnv{{Name: "TAG", Value: w}}}
		},
		"a secret's name": func(w string) v1.DeployAction {
			return v1.DeployAction{Verb: v1.DeployPs, ComposePath: "compose.yml", Env: []v1.DeployEnv{{Name: "TAG", ValueFrom: &v1.ValueSource{SecretRef: w}}}}
		},
	}
	for name, deploy := range fields {
		t.Run(name, func(t *testing.T) {
			for n := secrets.MinLength; n <= len(secret); n++ {
				right, wrong := secret[:n], secret[:n-1]+"x"
				for _, end := range []string{"", "…"} {
					got, other := answer(t, r, deploy(right+end)), answer(t, r, deploy(wrong+end))
					if strings.ReplaceAll(got, right, "GUESS") != strings.ReplaceAll(other, wrong, "GUESS") {
						t.Fatalf("%q is answered\n%s\n%q is answered\n%s", right+end, got, wrong+end, other)
					}
				}
			}
		})
	}
}

// TestAnotherWorkspacesSecretIsHiddenInWhatTheEngineSays, unless the caller has said it.
func TestAnotherWorkspacesSecretIsHiddenInWhatTheEngineSays(t *testing.T) {
	const secret = "hunter2-is-long"
	r := oracle(t, secret, "the password is "+secret)
	got := answer(t, r, v1.DeployAction{Verb: v1.DeployPs, ComposePath: "compose.yml", Services: []string{"hunter2"}})
	if strings.Contains(got, "-is-long") || !strings.Contains(got, "the password is "+secrets.Mask) || !strings.Contains(got, "hunter2") {
		t.Errorf("the client is told\n%s", got)
	}
}

package compose

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/health"
)

func TestUpToDate(t *testing.T) {
	web := engine.Container{Service: "web", Status: "running", ConfigHash: "h1"}
	db := engine.Container{Service: "db", Status: "running", ConfigHash: "h2"}
	with := func(c engine.Container, change func(*engine.Container)) engine.Container {
		change(&c)
		return c
	}
	both := map[string]string{"web": "h1", "db": "h2"}
	for name, tc := range map[string]struct {
		hashes     map[string]string
		containers []engine.Container
		want       bool
	}{
		"running, of the present configuration":       {both, []engine.Container{web, db}, true},
		"a service without a container":               {both, []engine.Container{web}, false},
		"no container at all":                         {both, nil, false},
		"another configuration":                       {map[string]string{"web": "h3"}, []engine.Container{web}, false},
		"one old replica":                             {map[string]string{"web": "h1"}, []engine.Container{web, with(web, func(c *engine.Container) { c.ConfigHash = "h0" })}, false},
		"one that was stopped before, and ended well": {both, []engine.Container{web, with(db, func(c *engine.Container) { c.Status = "exited" })}, false},
		"a replica too many":                          {map[string]string{"web": "h1"}, []engine.Container{web, web}, false},
		"nothing is known of the configuration":       {nil, []engine.Container{web}, false},
	} {
		wants := map[string]health.Want{"web": {Containers: 1}, "db": {Containers: 1}}
		if got := present(tc.hashes, wants, tc.containers); got != tc.want {
			t.Errorf("%s: %t, want %t", name, got, tc.want)
		}
	}
}

func TestFlagsThatAskForMoreThanAState(t *testing.T) {
	for flag, want := range map[string]bool{"--detach": false, "--timeout=3": false, "--force-recreate": true, "--build": true, "--pull=always": true, "--scale=web=2": true} {
		if got := asksForMore(&v1.DeployAction{Verb: v1.DeployUp, ExtraArgs: []string{flag}}); got != want {
			t.Errorf("%s: %t, want %t", flag, got, want)
		}
	}
	if asksForMore(&v1.DeployAction{ExtraArgs: []string{"-t", "3"}}) {
		t.Error("a flag's value is taken for a flag")
	}
}

func TestConcurrencyKeyIsTheComposeProject(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, "My.Shop_1")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Unix(int64(len(text)), 0)); err != nil {
			t.Fatal(err)
		}
	}
	write("plain.yml", "services: {}\n")
	write("named.yml", "name: shop\nservices: {}\n")
	write("variable.yml", "name: ${NAME}\n")
	write("broken.yml", "name: [\n")
	r, err := New(Options{Roots: []string{root}, Worker: "w"})
	if err != nil {
		t.Fatal(err)
	}
	key := func(d v1.DeployAction) string {
		return r.ConcurrencyKey(&v1.Job{Spec: v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &d}})
	}
	for name, tc := range map[string]struct {
		deploy v1.DeployAction
		want   string
	}{
		"as the job says":      {v1.DeployAction{Verb: "up", ProjectName: "p", ComposePath: "My.Shop_1/named.yml"}, "compose:p"},
		"as the file says":     {v1.DeployAction{Verb: "down", ComposePath: "My.Shop_1/named.yml"}, "compose:shop"},
		"as the folder says":   {v1.DeployAction{Verb: "up", ComposePath: "My.Shop_1/plain.yml"}, "compose:myshop_1"},
		"a name with variable": {v1.DeployAction{Verb: "up", ComposePath: "My.Shop_1/variable.yml"}, "compose:myshop_1"},
		"a broken file":        {v1.DeployAction{Verb: "up", ComposePath: "My.Shop_1/broken.yml"}, "compose:myshop_1"},
		"a missing file":       {v1.DeployAction{Verb: "up", ComposePath: "no.yml"}, "compose-file:no.yml"},
		"what changes nothing": {v1.DeployAction{Verb: "ps", ComposePath: "My.Shop_1/named.yml"}, ""},
	} {
		if got := key(tc.deploy); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	write("named.yml", "name: another\nservices: {}\n")
	if got := key(v1.DeployAction{Verb: "up", ComposePath: "My.Shop_1/named.yml"}); got != "compose:another" {
		t.Errorf("after a change of the file: %q", got)
	}
}

// TestRecoverFindsAProjectThatIsAsAsked looks at what a real engine has after the server
// that deployed has died.
func TestRecoverFindsAProjectThatIsAsAsked(t *testing.T) {
	needEngine(t)
	r, attempt := project(t, "  web: {image: "+image+", command: [serve], stop_grace_period: 1s, deploy: {replicas: 2}}\n")
	recovered := func(verb v1.DeployVerb, args ...string) action.Outcome {
		t.Helper()
		outcome, err := r.Recover(t.Context(), attempt(verb, args...))
		if err != nil {
			t.Fatal(err)
		}
		if outcome.Verdict == action.Lost && !outcome.Repeatable {
			t.Errorf("a lost deploy may be repeated: %+v", outcome)
		}
		return outcome
	}
	if o := recovered(v1.DeployUp); o.Verdict != action.Lost {
		t.Errorf("before anything runs: %+v", o)
	}
	if o := r.Run(t.Context(), attempt(v1.DeployUp), discard{}); o.Verdict != action.Succeeded {
		t.Fatalf("up: %+v", o)
	}
	if o := recovered(v1.DeployUp); o.Verdict != action.Succeeded || o.Result == nil {
		t.Errorf("up again: %+v", o)
	}
	if o := recovered(v1.DeployUp, "--force-recreate"); o.Verdict != action.Lost {
		t.Errorf("up that asks for more: %+v", o)
	}
	if o := r.Run(t.Context(), attempt(v1.DeployStop), discard{}); o.Verdict != action.Succeeded {
		t.Fatalf("stop: %+v", o)
	}
	if o := recovered(v1.DeployUp); o.Verdict != action.Lost {
		t.Errorf("up of what was stopped: %+v", o)
	}
	if o := recovered(v1.DeployDown); o.Verdict != action.Lost {
		t.Errorf("down while containers are there: %+v", o)
	}
	file := filepath.Join(r.roots[0].given, "compose.yml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := append(text, "  more: {image: "+image+", command: [once]}\n"...)
	if err := os.WriteFile(file, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	if o := recovered(v1.DeployUp); o.Verdict != action.Lost {
		t.Errorf("up of a changed file: %+v", o)
	}
	if o := r.Run(t.Context(), attempt(v1.DeployDown), discard{}); o.Verdict != action.Succeeded {
		t.Fatalf("down: %+v", o)
	}
	if o := recovered(v1.DeployDown); o.Verdict != action.Succeeded {
		t.Errorf("down again: %+v", o)
	}
}

func TestAnEngineThatDoesNotAnswerIsAskedAgainLater(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "compose.yml"), []byte("services: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	docker := filepath.Join(root, "docker")
	recovered := func(script string) (action.Outcome, error) {
		if err := os.WriteFile(docker, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
		r, err := New(Options{Roots: []string{root}, Worker: t.Name() + root, Docker: docker})
		if err != nil {
			t.Fatal(err)
		}
		return r.Recover(t.Context(), action.Attempt{ID: "a", Job: &v1.Job{Spec: v1.JobSpec{Deploy: &v1.DeployAction{Verb: v1.DeployUp, ComposePath: "compose.yml"}}}})
	}
	if o, err := recovered("exit 1"); err == nil {
		t.Errorf("nothing answers: %+v", o)
	}
	if o, err := recovered(`[ "$1" = version ]`); err != nil || o.Verdict != action.Lost || !o.Repeatable || o.Message == "" {
		t.Errorf("only compose fails: %+v, %v", o, err)
	}
}

// discard is a sink for what is not looked at.
type discard struct{}

func (discard) Line(action.Stream, string) {}
func (discard) Progress(int, string)       {}
func (discard) Result(v1.JSON)             {}

package compose

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// TestADownIsJudgedByWhatStands takes a project down while a service of a profile that is
// not enabled runs.
func TestADownIsJudgedByWhatStands(t *testing.T) {
	s := onPlayground(t, service("web", "web", "")+service("backup", "web", ", profiles: [manual], depends_on: [web]"))
	s.compose("--profile=manual", "up", "--detach")
	t.Cleanup(func() { s.compose("--profile=manual", "down", "--timeout=1") })
	down := func(profiles ...string) *v1.Job {
		a := s.attempt(v1.DeployDown, "--remove-orphans", "-v", "-t", "1")
		a.Job.Spec.Deploy.Profiles = profiles
		return a.Job
	}
	plan, err := s.r.Plan(t.Context(), down())
	if err != nil {
		t.Fatal(err)
	}
	has := func(verb v1.PlanVerb, kind, name string) bool {
		return slices.ContainsFunc(plan.Changes, func(c v1.PlanChange) bool { return c.Verb == verb && c.Kind == kind && c.Name == name })
	}
	if !has(v1.PlanRemove, "service", "web") || !has(v1.PlanKeep, "service", "backup") || !has(v1.PlanKeep, "network", s.name+"_default") {
		t.Errorf("plan: %+v", plan.Changes)
	}
	const left = "still there: backup (1 container). A service behind a profile goes when spec.deploy.profiles names it."
	if plan.Valid || !strings.Contains(strings.Join(plan.Problems, "\n"), left) {
		t.Errorf("plan of a down that will fail: %+v", plan)
	}
	if plan, err := s.r.Plan(t.Context(), down("manual")); err != nil || !plan.Valid {
		t.Errorf("plan with the profile: %+v, %v", plan, err)
	}
	o := s.r.Run(t.Context(), action.Attempt{ID: "down-1", Job: down()}, &recorder{})
	if o.Verdict != action.Failed || o.Reason != v1.ReasonContainerFailed || !strings.Contains(o.Message, left) {
		t.Errorf("a down that left a service: %+v", o)
	}
	if o = s.r.Run(t.Context(), action.Attempt{ID: "down-2", Job: down("manual")}, &recorder{}); o.Verdict != action.Succeeded {
		t.Errorf("with the profile: %+v", o)
	}
}

// TestAPlanSaysWhatComposeWouldRefuse plans deploys that docker compose itself refuses.
func TestAPlanSaysWhatComposeWouldRefuse(t *testing.T) {
	needEngine(t)
	for name, tc := range map[string]struct{ services, more, want string }{
		"an external network that is not there": {service("web", "web", ", networks: [proxy]"), "networks: {proxy: {external: true, name: jobwright-none}}\n", "network jobwright-none declared as external, but could not be found"},
		"an external volume that is not there":  {service("web", "web", ", volumes: ['data:/data']"), "volumes: {data: {external: true, name: jobwright-none}}\n", `"jobwright-none"`},
		"an image that is never pulled":         {"  web: {image: 'jobwright-none:1', pull_policy: never}\n", "", "service web: image jobwright-none:1 is not here, and its pull_policy is never"},
	} {
		t.Run(name, func(t *testing.T) {
			r, attempt := project(t, tc.services)
			if tc.more != "" {
				path := filepath.Join(r.roots[0].given, "compose.yml")
				if err := os.WriteFile(path, []byte("services:\n"+tc.services+tc.more), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			plan, err := r.Plan(t.Context(), attempt(v1.DeployUp).Job)
			if err != nil || plan.Valid || !strings.Contains(strings.Join(plan.Problems, "\n"), tc.want) {
				t.Errorf("%+v, %v; want %q", plan, err, tc.want)
			}
			for _, c := range plan.Changes {
				if strings.Contains(c.Detail, "pulled first") {
					t.Errorf("planned beside it: %+v", c)
				}
			}
		})
	}
}

// TestComposeChoosesItsFilesItself deploys a folder with a file that overrides another.
func TestComposeChoosesItsFilesItself(t *testing.T) {
	s := onPlayground(t, service("web", "web", ""))
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(s.r.roots[0].given, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("compose.override.yml", "services:\n"+service("more", "web", ""))
	if o := s.up(); o.Verdict != action.Succeeded {
		t.Fatalf("%+v\n%s", o, s.log)
	}
	for _, name := range []string{"web", "more"} {
		if ids, _, _ := s.runs(name); len(ids) != 1 {
			t.Errorf("%s has %d containers", name, len(ids))
		}
	}
}

// TestAProjectWhoseFileIsGoneCanStillBeTakenDown removes the compose file of a project that
// runs.
func TestAProjectWhoseFileIsGoneCanStillBeTakenDown(t *testing.T) {
	s := onPlayground(t, service("web", "web", ""))
	s.mustUp()
	path := filepath.Join(s.r.roots[0].given, "compose.yml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.WriteFile(path, text, 0o600) }) // the clean-up reads it
	for _, verb := range []v1.DeployVerb{v1.DeployPs, v1.DeployLogs, v1.DeployStop, v1.DeployDown} {
		if o := s.run("acme", verb, nil); o.Verdict != action.Succeeded || !strings.Contains(s.log, "using revision 1") {
			t.Errorf("%s: %+v\n%s", verb, o, s.log)
		}
	}
	if ids, _, _ := s.runs("web"); len(ids) > 0 {
		t.Errorf("left: %v", ids)
	}
	if o := s.run("acme", v1.DeployUp, nil); o.Reason != v1.ReasonInvalidArguments || !strings.Contains(o.Message, "spec.deploy.composePath") {
		t.Errorf("up without a file: %+v", o)
	}
}

// TestOneCauseHasOneReason breaks a compose file under each verb that reads it.
func TestOneCauseHasOneReason(t *testing.T) {
	s := onPlayground(t, service("web", "web", ""))
	path := filepath.Join(s.r.roots[0].given, "compose.yml")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s.file("  web: {image: '" + image + "', depends_on: [none]}\n")
	t.Cleanup(func() { _ = os.WriteFile(path, good, 0o600) }) // the clean-up reads it
	for _, verb := range []v1.DeployVerb{v1.DeployUp, v1.DeployStart, v1.DeployPs, v1.DeployStop, v1.DeployDown, v1.DeployPull, v1.DeployLogs, v1.DeployConfig} {
		o := s.run("acme", verb, nil)
		if o.Verdict != action.Failed || o.Reason != v1.ReasonInvalidComposeFile || !strings.Contains(o.Message, `depends on undefined service "none"`) {
			t.Errorf("%s: %s %s", verb, o.Reason, o.Message)
		}
		if strings.Contains(s.log, `{"error"`) {
			t.Errorf("%s: the log has docker compose's raw lines:\n%s", verb, s.log)
		}
	}
}

// TestAPlanTellsOfNetworksAndVolumesWhoseDefinitionHasChanged compares the plan with what
// stands after the deploy.
func TestAPlanTellsOfNetworksAndVolumesWhoseDefinitionHasChanged(t *testing.T) {
	s := onPlayground(t, "")
	file := func(label string) {
		s.file("  web: {image: '" + image + "', command: [web], stop_grace_period: 1s, volumes: ['data:/data'], networks: [n]}\n" +
			"volumes: {data: {labels: {of: '" + label + "'}}}\nnetworks: {n: {labels: {of: '" + label + "'}}}\n")
	}
	file("one")
	s.mustUp()
	t.Cleanup(func() { s.compose("down", "--volumes", "--timeout=1") })
	network := s.docker("network", "inspect", "--format={{.Id}}", s.name+"_n")
	volume := s.docker("volume", "inspect", "--format={{.CreatedAt}}", s.name+"_data")
	file("two")
	plan, err := s.r.Plan(t.Context(), s.attempt(v1.DeployUp).Job)
	if err != nil || !plan.Valid {
		t.Fatalf("%+v, %v", plan, err)
	}
	for _, want := range []v1.PlanChange{
		{Verb: v1.PlanRecreate, Kind: kindNetwork, Name: s.name + "_n", Detail: "its definition has changed"},
		{Verb: v1.PlanKeep, Kind: kindVolume, Name: s.name + "_data", Detail: "its definition has changed; docker compose leaves the volume as it was made"},
	} {
		if !slices.Contains(plan.Changes, want) {
			t.Errorf("the plan lacks %+v:\n%+v", want, plan.Changes)
		}
	}
	s.mustUp()
	if after := s.docker("network", "inspect", "--format={{.Id}}", s.name+"_n"); after == network {
		t.Error("the network is the old one")
	}
	if after := s.docker("volume", "inspect", "--format={{.CreatedAt}}", s.name+"_data"); after != volume {
		t.Error("the volume was made anew")
	}
}

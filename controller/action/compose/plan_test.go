package compose

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/revisions"
)

func TestWhatBecomesOfAService(t *testing.T) {
	as := func(changes ...func(*planned)) planned {
		p := planned{name: "web", image: "web:1", imageID: "sha256:0123456789abcdef", hash: "h", replicas: 1, containers: []engine.Container{{Service: "web", Image: "shop-web", ImageID: "sha256:0123456789abcdef", ConfigHash: "h", Status: "running"}}}
		for _, change := range changes {
			change(&p)
		}
		return p
	}
	none := func(p *planned) { p.containers = nil }
	newHash := func(p *planned) { p.hash = "new" }
	moved := func(p *planned) { p.imageID = "sha256:fedcba9876543210" }
	for name, tc := range map[string]struct {
		service planned
		args    []string
		want    v1.PlanVerb
		detail  string
	}{
		"as it is":                       {as(), nil, v1.PlanKeep, ""},
		"not there":                      {as(none), nil, v1.PlanCreate, "1 container from image web:1"},
		"not there, nor its image":       {as(none, func(p *planned) { p.imageID = "" }), nil, v1.PlanCreate, "1 container from image web:1; image web:1 is not here yet, it is pulled first"},
		"not there, and never pulled":    {as(none, func(p *planned) { p.imageID, p.now = "", map[string]any{"pull_policy": "never"} }), nil, v1.PlanCreate, "1 container from image web:1; image web:1 is not here"},
		"a flag that forbids to pull":    {as(none, func(p *planned) { p.imageID = "" }), []string{"--pull=never"}, v1.PlanCreate, "1 container from image web:1; image web:1 is not here"},
		"a flag that pulls all the same": {as(none, func(p *planned) { p.imageID, p.now = "", map[string]any{"pull_policy": "never"} }), []string{"--pull=always"}, v1.PlanCreate, "1 container from image web:1; image web:1 may be pulled first"},
		"never pulled, and here":         {as(), []string{"--pull=never"}, v1.PlanKeep, ""},
		"not there, and built":           {as(none, func(p *planned) { p.imageID, p.built = "", true }), nil, v1.PlanCreate, "1 container from image web:1; image web:1 is not here yet, it is built first"},
		"scaled to nothing":              {as(none, func(p *planned) { p.replicas = 0 }), nil, v1.PlanKeep, ""},
		"another configuration":          {as(newHash), nil, v1.PlanRecreate, "image web:1 instead of shop-web"},
		"its image has moved":            {as(moved), nil, v1.PlanRecreate, "image web:1 is fedcba987654 now, it runs from 0123456789ab"},
		"more containers":                {as(func(p *planned) { p.replicas = 3 }), nil, v1.PlanActionUpdate, "1 container now, 3 wanted"},
		"stopped":                        {as(func(p *planned) { p.containers[0].Status = "exited" }), nil, v1.PlanActionUpdate, "1 container that does not run is started"},
		"forced":                         {as(), []string{"--force-recreate"}, v1.PlanRecreate, "--force-recreate"},
		"changed and not to be touched":  {as(newHash, moved), []string{"--no-recreate"}, v1.PlanKeep, ""},
		"pulled first":                   {as(), []string{"--pull", "always"}, v1.PlanKeep, "image web:1 may be pulled first"},
		"built first":                    {as(func(p *planned) { p.built = true }), []string{"--build"}, v1.PlanKeep, "image web:1 is built first"},
		"what has changed since the last revision": {as(newHash, func(p *planned) {
			p.containers[0].Image = "web:1"
			p.was = map[string]any{"environment": "a", "image": "sha256:1", "command": "c", "init": true}
			p.now = map[string]any{"environment": "b", "image": "web:1", "command": "c", "ports": 1}
		}), nil, v1.PlanRecreate, "its configuration has changed: environment, init, ports"},
	} {
		t.Run(name, func(t *testing.T) {
			got := tc.service.change(&v1.DeployAction{ExtraArgs: tc.args})
			if diff := cmp.Diff(v1.PlanChange{Verb: tc.want, Kind: "service", Name: "web", Detail: tc.detail}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsWrongIsAProblemOfItsField(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"bad.yml": "services: [\n", "good.yml": "services: {web: {image: x}}\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := revisions.Open(t.TempDir(), 2)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Options{Roots: []string{root}, Worker: t.Name(), Revisions: kept})
	if err != nil {
		t.Fatal(err)
	}
	secret := []v1.DeployEnv{{Name: "A", ValueFrom: &v1.ValueSource{SecretRef: "none"}}}
	for name, tc := range map[string]struct {
		deploy *v1.DeployAction
		want   string
		engine bool
	}{
		"no payload":         {nil, "spec.deploy: Required value", false},
		"a missing file":     {&v1.DeployAction{Verb: "up", ComposePath: "none.yml"}, `spec.deploy.composePath: Not found: "none.yml"`, false},
		"a file outside":     {&v1.DeployAction{Verb: "up", ComposePath: "/etc/passwd"}, "outside the compose roots", false},
		"a forbidden flag":   {&v1.DeployAction{Verb: "up", ComposePath: "good.yml", ExtraArgs: []string{"--watch"}}, "spec.deploy.extraArgs[0]: Unsupported value", false},
		"an unknown secret":  {&v1.DeployAction{Verb: "up", ComposePath: "good.yml", Env: secret}, "spec.deploy.env[0].valueFrom.secretRef: no such secret", false},
		"a rollback to none": {&v1.DeployAction{Verb: "rollback", ProjectName: "shop"}, "spec.deploy.projectName: Not found", false},
		"bad YAML":           {&v1.DeployAction{Verb: "up", ComposePath: "bad.yml"}, `spec.deploy.composePath: Invalid value: "bad.yml": docker compose says: `, true},
		"an unknown service": {&v1.DeployAction{Verb: "up", ComposePath: "good.yml", Services: []string{"db"}}, "no such service: db", true},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.engine {
				needEngine(t)
			}
			plan, err := r.Plan(t.Context(), &v1.Job{Spec: v1.JobSpec{Deploy: tc.deploy}})
			if err != nil {
				t.Fatal(err)
			}
			if plan.Valid || len(plan.Problems) != 1 || !strings.Contains(plan.Problems[0], tc.want) {
				t.Errorf("%+v, want %q", plan, tc.want)
			}
		})
	}
	r.docker.Program = filepath.Join(root, "no-docker")
	if plan, err := r.Plan(t.Context(), &v1.Job{Spec: v1.JobSpec{Deploy: &v1.DeployAction{Verb: "up", ComposePath: "good.yml"}}}); err == nil {
		t.Errorf("without docker: %+v", plan)
	}
}

// TestAPlanTellsWhatUpThenDoes compares what is planned with what stands after it.
func TestAPlanTellsWhatUpThenDoes(t *testing.T) {
	s := onPlayground(t, "")
	plan := func(verb v1.DeployVerb, change func(*v1.DeployAction)) []string {
		t.Helper()
		a := s.attempt(verb)
		a.Job.Namespace = "acme"
		if change != nil {
			change(a.Job.Spec.Deploy)
		}
		got, err := s.r.Plan(t.Context(), a.Job)
		if err != nil || !got.Valid {
			t.Fatalf("%s: %+v, %v", verb, got, err)
		}
		var out []string
		for _, c := range got.Changes {
			out = append(out, strings.ReplaceAll(strings.TrimSuffix(string(c.Verb)+" "+c.Kind+" "+c.Name+": "+c.Detail, ": "), s.name, "P"))
		}
		return out
	}
	want := func(got []string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	file := func(command string, more string) {
		s.file("  app: {image: '" + image + "', command: [" + command + "], stop_grace_period: 1s}\n" +
			"  db: {image: '" + image + "', command: [db], stop_grace_period: 1s, volumes: ['data:/data']}\n" + more + "volumes: {data: {}}\n")
	}
	file("one", "")
	want(plan(v1.DeployUp, nil), "Create network P_default", "Create volume P_data",
		"Create service app: 1 container from image "+image, "Create service db: 1 container from image "+image)
	s.mustUp()
	want(plan(v1.DeployUp, nil), "Keep network P_default", "Keep volume P_data", "Keep service app", "Keep service db")
	file("two", "  more: {image: '"+image+"', command: [more], stop_grace_period: 1s}\n")
	before, _, _ := s.runs("db")
	want(plan(v1.DeployUp, nil), "Keep network P_default", "Keep volume P_data",
		"Recreate service app: its configuration has changed: command", "Keep service db", "Create service more: 1 container from image "+image)
	s.mustUp()
	if after, _, _ := s.runs("db"); before[0] != after[0] {
		t.Error("db was planned to be kept, and was made anew")
	}
	want(plan(v1.DeployRollback, nil), "Recreate service app: as in revision 1, from image "+image+" ("+engine.ShortID(s.docker("images", "-q", "--no-trunc", image))+")",
		"Keep service db", "Remove service more: revision 1 does not have it")
	file("two", "")
	want(plan(v1.DeployUp, nil)[2:], "Keep service app", "Keep service db", "Keep service more: not in the compose file; --remove-orphans would remove it")
	want(plan(v1.DeployUp, func(d *v1.DeployAction) { d.ExtraArgs = []string{"--remove-orphans"} })[4:], "Remove service more: not in the compose file")
	want(plan(v1.DeployStop, func(d *v1.DeployAction) { d.Services = []string{"db"} }), "Change service db: stop 1 container")
	want(plan(v1.DeployPull, nil), "Change image "+image+": pull for service app", "Change image "+image+": pull for service db")
	want(plan(v1.DeployPs, nil))
	want(plan(v1.DeployDown, func(d *v1.DeployAction) { d.ExtraArgs = []string{"--volumes", "--remove-orphans"} }), "Remove service app: 1 container", "Remove service db: 1 container",
		"Remove service more: 1 container", "Remove network P_default", "Remove volume P_data: with all that is in it")
}

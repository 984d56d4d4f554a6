package compose

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/compose/rollback"
	"jobwright.dev/controller/action/secrets"
)

// playground is a project on the real engine whose revisions are kept.
type playground struct {
	t       *testing.T
	r       *Runner
	name    string
	attempt func(v1.DeployVerb, ...string) action.Attempt
	tags    []string
	log     string // of the last run
}

func onPlayground(t *testing.T, services string) *playground {
	t.Helper()
	t.Parallel() // they wait for the engine, mostly
	needEngine(t)
	r, attempt := project(t, services)
	kept, err := revisions.Open(filepath.Join(t.TempDir(), "revisions"), 3)
	if err != nil {
		t.Fatal(err)
	}
	r.revisions = kept
	s := &playground{t: t, r: r, attempt: attempt, name: attempt(v1.DeployUp).Job.Spec.Deploy.ProjectName}
	t.Cleanup(func() {
		held := s.docker("images", "--format={{.Repository}}:{{.Tag}}", "--filter=reference=jobwright-kept:"+s.name+".*")
		if names := append(strings.Fields(held), s.tags...); len(names) > 0 {
			exec.Command("docker", append([]string{"image", "rm", "--force"}, names...)...).Run() // what is left is nobody's
		}
	})
	return s
}

func (s *playground) docker(args ...string) string {
	s.t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("docker %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// image makes another image of the test's program under a tag: one whose containers do
// what mode says. It returns its ID.
func (s *playground) image(tag, mode string) string {
	s.t.Helper()
	made := s.docker("create", image, "x")
	defer s.docker("rm", made)
	s.tags = append(s.tags, tag)
	return s.docker("commit", "--change", fmt.Sprintf(`CMD [%q]`, mode), made, tag)
}

func (s *playground) file(services string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.r.roots[0].given, "compose.yml"), []byte("services:\n"+services), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// run carries a deploy out for a workspace.
func (s *playground) run(workspace string, verb v1.DeployVerb, change func(*v1.DeployAction)) action.Outcome {
	s.t.Helper()
	a := s.attempt(verb)
	a.Job.Namespace, a.Job.Name = workspace, "job-"+string(verb)
	if change != nil {
		change(a.Job.Spec.Deploy)
	}
	out := &recorder{}
	outcome := s.r.Run(s.t.Context(), a, out)
	s.log = out.text.String()
	return outcome
}

// up deploys with a rollback on failure.
func (s *playground) up(extra ...string) action.Outcome {
	s.t.Helper()
	return s.run("acme", v1.DeployUp, func(d *v1.DeployAction) { d.Rollback, d.ExtraArgs = v1.RollbackOnFailure, extra })
}

func (s *playground) mustUp() {
	s.t.Helper()
	if o := s.up(); o.Verdict != action.Succeeded {
		s.t.Fatalf("up: %+v\n%s", o, s.log)
	}
}

// runs are the containers of a service: ID, state and image.
func (s *playground) runs(service string) (ids []string, states []string, images []string) {
	s.t.Helper()
	containers, err := s.r.project(s.attempt(v1.DeployPs), s.name).Containers(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range engine.ByService(containers)[service] {
		ids, states, images = append(ids, c.ID), append(states, c.Status), append(images, c.ImageID)
	}
	return ids, states, images
}

// wantRunning fails unless a service has one container, which runs from an image.
func (s *playground) wantRunning(service, image string) {
	s.t.Helper()
	if _, states, images := s.runs(service); !slices.Equal(states, []string{"running"}) || !slices.Equal(images, []string{image}) {
		s.t.Errorf("%s is %v from %v, want it running from %s", service, states, images, image)
	}
}

func (s *playground) result(o action.Outcome) map[string]any {
	s.t.Helper()
	if o.Result == nil {
		s.t.Fatalf("no result: %+v", o)
	}
	value, err := o.Result.Value()
	if err != nil {
		s.t.Fatal(err)
	}
	return value.(map[string]any)
}

func (s *playground) wantResult(o action.Outcome, want string) {
	s.t.Helper()
	result := s.result(o)
	if got := fmt.Sprint(result["revision"], " ", result["rolledBackTo"]); got != want {
		s.t.Errorf("revision and rolledBackTo = %s, want %s (%s)", got, want, o.Message)
	}
}

// TestABadImageIsRolledBackToTheOneThatRan: the tag has moved to an image that cannot
// work; what comes back is the image that ran, and what the deploy did not touch is not
// touched.
func TestABadImageIsRolledBackToTheOneThatRan(t *testing.T) {
	s := onPlayground(t, "")
	tag := s.name + ":app"
	good := s.image(tag, "web")
	app := "  app: {image: '" + tag + "', stop_grace_period: 1s}\n"
	db := strings.Replace(web, "web:", "db:", 1)
	s.file(app + db)
	first := s.up()
	if first.Verdict != action.Succeeded {
		t.Fatalf("%+v\n%s", first, s.log)
	}
	s.wantResult(first, "1 <nil>")
	again := s.up()
	s.wantResult(again, "1 <nil>") // nothing has changed
	before, _, _ := s.runs("db")

	bad := s.image(tag, "fail")
	if bad == good {
		t.Fatal("the images are the same")
	}
	s.file(app + db + "  more: {image: '" + image + "', command: [more], stop_grace_period: 1s}\n")
	o := s.up()
	if o.Verdict != action.Failed || o.Reason != v1.ReasonRolledBack || o.Facts[v1.FactExitCode] == "" {
		t.Fatalf("%+v\n%s", o, s.log)
	}
	s.wantResult(o, "1 1")
	for _, want := range []string{"Revision 1 was brought back (job job-up of ", "app " + tag + " (" + engine.ShortID(good) + ")", "removed, as it does not have them: more"} {
		if !strings.Contains(o.Message, want) {
			t.Errorf("the message lacks %q:\n%s", want, o.Message)
		}
	}
	s.wantRunning("app", good)
	if after, _, _ := s.runs("db"); !slices.Equal(before, after) {
		t.Errorf("db was made anew: %v, then %v", before, after)
	}
	if ids, _, _ := s.runs("more"); len(ids) > 0 {
		t.Errorf("what only the failed deploy had is left: %v", ids)
	}
	// The next failure goes back to the same, and finds the containers of the rollback.
	kept, _, _ := s.runs("app")
	s.file("  app: [\n")
	o = s.up()
	if o.Verdict != action.Failed || o.Reason == v1.ReasonRolledBack || !strings.Contains(o.Message, "still runs as revision 1 has it") {
		t.Errorf("a deploy that changed nothing: %+v", o)
	}
	if after, _, _ := s.runs("app"); !slices.Equal(kept, after) {
		t.Errorf("app was made anew for nothing")
	}
	s.file(app + db)
	// An image that nothing but the revision needs is held.
	if held := s.docker("images", "--no-trunc", "--quiet", rollback.HeldName(s.name, good)); held != good {
		t.Errorf("the image is not held: %q", held)
	}
}

func TestARollbackThatFailsIsSaid(t *testing.T) {
	s := onPlayground(t, "")
	tag := s.name + ":app"
	s.image(tag, "web")
	s.file("  app: {image: '" + tag + "', stop_grace_period: 1s}\n")
	if o := s.up(); o.Verdict != action.Succeeded {
		t.Fatalf("%+v\n%s", o, s.log)
	}
	s.image(tag, "fail")
	path := s.r.revisions.Path(s.name, 1)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, "# changed\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	o := s.up()
	if o.Verdict != action.Failed || o.Reason != v1.ReasonRollbackFailed || !strings.Contains(o.Message, "checksum") || !strings.Contains(o.Message, path) {
		t.Errorf("a damaged revision: %+v", o)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	// The image of the revision is gone for good.
	s.docker("compose", "-f", filepath.Join(s.r.roots[0].given, "compose.yml"), "-p", s.name, "down", "-t", "1")
	revision, err := s.r.revisions.Last(s.name)
	if err != nil {
		t.Fatal(err)
	}
	s.docker("image", "rm", "--force", revision.Services[0].ImageID)
	o = s.up()
	if o.Verdict != action.Failed || o.Reason != v1.ReasonRollbackFailed || !strings.Contains(o.Message, "is not in the engine any more, and it is in no registry") {
		t.Errorf("an image that is gone: %+v\n%s", o, s.log)
	}
}

func TestWithoutARevisionOrWithoutThePolicyNothingIsBroughtBack(t *testing.T) {
	s := onPlayground(t, "  app: {image: '"+image+"', command: [fail], stop_grace_period: 1s}\n")
	o := s.up()
	if o.Verdict != action.Failed || o.Reason == v1.ReasonRolledBack || o.Reason == v1.ReasonRollbackFailed || !strings.Contains(o.Message, "There is no revision to bring back") {
		t.Errorf("without a revision: %+v", o)
	}
	s.file(web)
	s.mustUp()
	s.file(strings.Replace(web, "[web]", "[fail]", 1))
	o = s.run("acme", v1.DeployUp, nil)
	if o.Verdict != action.Failed || o.Reason == v1.ReasonRolledBack || !strings.Contains(o.Message, "The last good revision is 1: jobwright rollback "+s.name+" --to 1") {
		t.Errorf("without the policy: %+v", o)
	}
	for _, verb := range []v1.DeployVerb{v1.DeployUp, v1.DeployDown, v1.DeployStop, v1.DeployPs, v1.DeployConfig, v1.DeployLogs} {
		if o = s.run("other", verb, nil); o.Reason != v1.ReasonInvalidArguments || !strings.Contains(o.Message, "spec.deploy.projectName: ") || strings.Contains(o.Message, "acme") {
			t.Errorf("%s of another workspace's project: %+v", verb, o)
		}
	}
	s.r.since = func(workspace string) (time.Time, error) {
		if workspace == "acme" {
			return time.Time{}, errors.New("the store is away")
		}
		return time.Time{}, nil
	}
	if o = s.run("other", v1.DeployDown, nil); o.Reason != v1.ReasonInvalidArguments {
		t.Errorf("down of a project whose owner cannot be read: %+v", o)
	}
	s.r.since = func(workspace string) (time.Time, error) {
		if workspace == "acme" {
			return time.Time{}, revisions.ErrNoWorkspace // it was deleted, and its project is an heirloom
		}
		return time.Time{}, nil
	}
	o = s.run("other", v1.DeployUp, nil)
	if strings.Contains(o.Message, "good revision") {
		t.Errorf("another workspace is told of the revision: %s", o.Message)
	}
	o = s.run("other", v1.DeployUp, func(d *v1.DeployAction) { d.Rollback = v1.RollbackOnFailure })
	if o.Reason != v1.ReasonRolledBack || !strings.Contains(o.Message, "it was deployed by another workspace") || strings.Contains(o.Message, "job-up") {
		t.Errorf("a rollback to another workspace's revision: %+v", o)
	}
}

func TestRollbackAsAsked(t *testing.T) {
	s := onPlayground(t, "")
	file := func(mode, more string) {
		s.file("  app: {image: '" + image + "', command: [" + mode + "], stop_grace_period: 1s}\n" + more)
	}
	command := func() string {
		ids, _, _ := s.runs("app")
		return s.docker("inspect", "--format={{.Args}}", ids[0])
	}
	file("one", "")
	s.mustUp()
	file("two", "  more: {image: '"+image+"', command: [more], stop_grace_period: 1s}\n")
	s.mustUp()
	rollback := func(workspace string, change func(*v1.DeployAction)) action.Outcome {
		return s.run(workspace, v1.DeployRollback, change)
	}
	if o := rollback("acme", nil); o.Verdict != action.Succeeded || command() != "[one]" {
		t.Errorf("to the one before: %+v, runs %s\n%s", o, command(), s.log)
	} else {
		s.wantResult(o, "3 1")
	}
	if ids, _, _ := s.runs("more"); len(ids) > 0 {
		t.Error("what the revision does not have is left")
	}
	to := func(n int64) func(*v1.DeployAction) {
		return func(d *v1.DeployAction) { d.Revision = &n }
	}
	if o := rollback("acme", to(2)); o.Verdict != action.Succeeded || command() != "[two]" {
		t.Errorf("to 2: %+v, runs %s", o, command())
	} else {
		s.wantResult(o, "4 2")
	}
	if o := rollback("acme", to(2)); o.Verdict != action.Succeeded || !strings.Contains(o.Message, "has it already") {
		t.Errorf("to what runs: %+v", o)
	}
	s.r.since = func(string) (time.Time, error) { return time.Now().Add(time.Hour), nil }
	again := rollback("acme", to(2)) // the workspace was deleted and made anew
	s.r.since = func(string) (time.Time, error) { return time.Time{}, errors.New("no such workspace") }
	gone := rollback("acme", to(3))
	s.r.since = nil
	for _, o := range []action.Outcome{again, gone} {
		if o.Reason != v1.ReasonInvalidArguments || !strings.Contains(o.Message, "workspace acme has no revisions of it") {
			t.Errorf("another workspace of the same name: %+v", o)
		}
	}
	for name, o := range map[string]action.Outcome{
		"has revisions [2 3 4]":                      rollback("acme", to(1)), // 3 are kept
		"this workspace has no such project":         rollback("other", to(2)),
		"this workspace has no such project\x00":     rollback("other", nil),
		`spec.deploy.services[0]: Not found: "none"`: rollback("acme", func(d *v1.DeployAction) { d.Services = []string{"none"} }),
	} {
		if o.Reason != v1.ReasonInvalidArguments || !strings.Contains(o.Message, strings.TrimRight(name, "\x00")) {
			t.Errorf("want %q: %+v", name, o)
		}
	}
}

func TestADeployOfOneServiceKeepsTheOthersInTheRevision(t *testing.T) {
	s := onPlayground(t, "")
	both := func(app, db string) {
		s.file("  app: {image: '" + image + "', command: [" + app + "], stop_grace_period: 1s}\n  db: {image: '" + image + "', command: [" + db + "], stop_grace_period: 1s}\n")
	}
	both("one", "one")
	s.mustUp()
	both("two", "two")
	if o := s.run("acme", v1.DeployUp, func(d *v1.DeployAction) { d.Services = []string{"app"} }); o.Verdict != action.Succeeded {
		t.Fatalf("%+v", o)
	}
	revision, err := s.r.revisions.Last(s.name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := revision.ComposeFile()
	if err != nil {
		t.Fatal(err)
	}
	if revision.Number != 2 || len(revision.Services) != 2 || strings.Count(string(file), "- two") != 1 || strings.Count(string(file), "- one") != 1 {
		t.Errorf("revision %d:\n%s", revision.Number, file)
	}
	// What another workspace has deployed is not written into a revision that it may not read.
	s.r.since = func(workspace string) (time.Time, error) {
		if workspace == "acme" {
			return time.Time{}, revisions.ErrNoWorkspace
		}
		return time.Time{}, nil
	}
	if o := s.run("other", v1.DeployUp, func(d *v1.DeployAction) { d.Services, d.ExtraArgs = []string{"app"}, []string{"--no-deps"} }); o.Verdict != action.Succeeded {
		t.Fatalf("%+v", o)
	}
	if revision, err = s.r.revisions.Last(s.name); err != nil || revision.Number != 3 || len(revision.Services) != 1 || len(revisions.Services(revision.Document)) != 1 {
		t.Errorf("another workspace's: %+v, %v", revision, err)
	}
}

func TestImagesAreHeldAsLongAsARevisionHasThem(t *testing.T) {
	s := onPlayground(t, web)
	var ids []string
	for n := range 5 { // 3 are kept
		id := s.image(fmt.Sprintf("%s:%d", s.name, n), fmt.Sprint("mode", n))
		ids = append(ids, id)
		r := &revisions.Revision{Workspace: "acme", Document: map[string]any{"services": map[string]any{"app": map[string]any{"image": id}}}}
		r.Project, r.Services = s.name, []v1.RevisionService{{Name: "app", ImageID: id}, {Name: "always", ImageID: ids[0]}}
		if _, err := s.r.restorer().Add(t.Context(), s.attempt(v1.DeployUp), "a-1", r); err != nil {
			t.Fatal(err)
		}
	}
	for n, want := range []bool{true, false, true, true, true} {
		if held := s.docker("images", "--quiet", rollback.HeldName(s.name, ids[n])) != ""; held != want {
			t.Errorf("image %d is held: %v, want %v", n, held, want)
		}
	}
	r := &revisions.Revision{Workspace: "acme"}
	r.Project, r.Services = s.name, []v1.RevisionService{{Name: "app", ImageID: "sha256:0000000000000000000000000000000000000000000000000000000000000000"}}
	if _, err := s.r.restorer().Add(t.Context(), s.attempt(v1.DeployUp), "a-1", r); err == nil || !strings.Contains(err.Error(), "hold image 000000000000") {
		t.Errorf("an image that is not there: %v", err)
	}
}

func TestSecretsReachContainersAndNothingElse(t *testing.T) {
	const value = `pa$$w"ord'of the <test>`
	s := onPlayground(t, "")
	path := filepath.Join(t.TempDir(), "secrets.yaml")
	hidden := filepath.Join(t.TempDir(), "value")
	for name, text := range map[string]string{path: "db-password: {file: " + hidden + ", workspaces: [acme]}\n", hidden: value} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if s.r.secrets, err = secrets.Load(path); err != nil {
		t.Fatal(err)
	}
	env := func(d *v1.DeployAction) {
		d.Rollback = v1.RollbackOnFailure
		d.Env = []v1.DeployEnv{{Name: "PASSWORD", ValueFrom: &v1.ValueSource{SecretRef: "db-password"}}, {Name: "MODE", Value: "web"}}
	}
	// The program says its arguments, so the container's log has the value.
	file := "  app: {image: '" + image + "', command: ['%s', '${PASSWORD}'], environment: {PASSWORD: , URL: 'db://${PASSWORD}@db', PRICE: 'a$$b'}, stop_grace_period: 1s}\n"
	s.file(fmt.Sprintf(file, "${MODE}"))
	var logs []string
	o := s.run("acme", v1.DeployUp, env)
	logs = append(logs, s.log, fmt.Sprintf("%+v %s", o, o.Result.Raw))
	if o.Verdict != action.Succeeded {
		t.Fatalf("%+v\n%s", o, s.log)
	}
	given := func() string {
		ids, _, _ := s.runs("app")
		lines := strings.Split(s.docker("inspect", "--format={{range .Config.Env}}{{json .}}\n{{end}}{{json .Config.Cmd}}", ids[0]), "\n")
		slices.Sort(lines)
		return strings.Join(lines, " ")
	}
	before := given()
	if !strings.Contains(before, `PASSWORD=pa$$w\"ord'of the <test>"`) || !strings.Contains(before, `URL=db://pa$$w`) || !strings.Contains(before, `PRICE=a$b`) {
		t.Fatalf("the container was given %s", before)
	}
	// A failure that brings the revision back gives it the secret anew.
	s.file(fmt.Sprintf(file, "fail") + "  bad: {image: '" + image + "', command: [fail], stop_grace_period: 1s}\n")
	o = s.run("acme", v1.DeployUp, env)
	logs = append(logs, s.log, fmt.Sprintf("%+v %s", o, o.Result.Raw))
	if o.Reason != v1.ReasonRolledBack {
		t.Fatalf("%+v\n%s", o, s.log)
	}
	if after := given(); after != before {
		t.Errorf("the container was given %s, after the rollback %s", before, after)
	}
	for _, verb := range []v1.DeployVerb{v1.DeployConfig, v1.DeployLogs, v1.DeployPs} {
		o = s.run("acme", verb, func(d *v1.DeployAction) { env(d); d.Rollback = "" })
		logs = append(logs, s.log, fmt.Sprintf("%+v", o))
		if o.Verdict != action.Succeeded {
			t.Errorf("%s: %+v\n%s", verb, o, s.log)
		}
		if verb == v1.DeployConfig && !strings.Contains(s.log, "db://***@db") {
			t.Errorf("config shows no mask:\n%s", s.log)
		}
	}
	revision, err := os.ReadFile(s.r.revisions.Path(s.name, 1))
	if err != nil || !strings.Contains(string(revision), "db://${JOBWRIGHT_SECRET_db_2dpassword}@db") {
		t.Errorf("the revision: %v\n%s", err, revision)
	}
	for _, text := range append(logs, string(revision)) {
		for _, form := range []string{"pa$$w", "pa$$$$w", "of the <test>", `of the \u003c`} {
			if strings.Contains(text, form) {
				t.Errorf("the value is in\n%s", text)
			}
		}
	}
	o = s.run("other", v1.DeployUp, env)
	if o.Reason != v1.ReasonInvalidArguments || !strings.Contains(o.Message, `spec.deploy.env[0].valueFrom.secretRef: no such secret: "db-password"; workspace other has none`) {
		t.Errorf("another workspace: %+v", o)
	}
}

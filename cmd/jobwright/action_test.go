package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/actiontest"
)

// TestANapKeepsTheContractOfActions runs the suite that every Runner passes.
func TestANapKeepsTheContractOfActions(t *testing.T) {
	job := func(payload string) *v1.Job {
		return &v1.Job{Spec: v1.JobSpec{Type: typeNap, Custom: map[string]v1.JSON{string(typeNap): {Raw: []byte(payload)}}}}
	}
	actiontest.Run(t, actiontest.Harness{
		Runner: new(napper), Success: job(`{"milliseconds":1}`), Failure: job(`{"milliseconds":1,"fails":9}`), Endless: job(`{"milliseconds":60000}`),
		Running: func(text string) bool { return strings.Contains(text, "zzz") },
		Bad: map[string]*v1.Job{
			"no payload":         {Spec: v1.JobSpec{Type: typeNap}},
			"no milliseconds":    job(`{}`),
			"too long":           job(`{"milliseconds":60001}`),
			"of the wrong types": job(`{"milliseconds":"1"}`),
		},
	})
}

// TestAFourthActionGoesThroughEveryLayer registers an action that only tests know, and
// touches no list of this version's: validation, plan, run, failure rules, the interface of
// the seed, the command line, a restart and a backup.
func TestAFourthActionGoesThroughEveryLayer(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	runner, dir := new(napper), t.TempDir()
	address, stop := serveWith(t, dir, napKinds(), napMaker(runner))
	if runner.host.Worker == "" || filepath.Base(runner.host.StateDir) != "action-nap" || runner.host.Metrics == nil {
		t.Errorf("the action was given %+v", runner.host)
	}
	c := napCommands{T: t, address: address}
	folder := t.TempDir()
	named := func(job string) string { return filepath.Join(folder, job) + ".yaml" }
	manifest := named("rest")
	write := func(spec string) {
		t.Helper()
		name := strings.TrimSuffix(filepath.Base(manifest), ".yaml")
		if err := os.WriteFile(manifest, []byte("apiVersion: jobwright.dev/v1\nkind: Job\nmetadata: {name: "+name+"}\nspec:\n"+spec), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	// Strict decoding and validation, all at once and with lines; also in a plan.
	write("  type: nap\n  nap: {milliseconds: 60001, colour: red, fails: \"1\"}\n  build: {action: x}\n  siesta: {}\n  failurePolicy: {rules: [{action: Ignore, rpcCodes: [1]}]}\n")
	wrong := []string{
		`line 6: spec.nap.milliseconds: Invalid value: 60001: must be between 1 and 60000`,
		`line 6: unknown field "spec.nap.colour"`,
		`line 6: spec.nap.fails: must be a whole number, not a string`,
		`line 7: spec.build: Forbidden: may not be set when type is nap`,
		`line 8: unknown field "spec.siesta"`,
		`line 9: spec.failurePolicy.rules[0].rpcCodes: Forbidden: only a job of type build reports it, this one is of type nap`,
	}
	c.says(1, wrong, "apply", "-f", manifest)
	c.says(1, wrong, "plan", "-f", manifest)
	write("  type: nap\n")
	c.says(1, []string{"spec.nap: Required value: type is nap"}, "apply", "-f", manifest)
	write("  type: kip\n")
	c.says(1, []string{`spec.type: Unsupported value: "kip": supported values: "build", "deploy", "api_call", "nap"`}, "apply", "-f", manifest)
	write("  nap: {milliseconds: 1}\n")
	c.says(0, []string{"default/rest: valid", "> nap: 1 ms"}, "plan", "-f", manifest)

	// A failure rule by a fact that it reports, without any retry otherwise; the type is
	// decided by the one payload.
	write("  nap: {milliseconds: 1, fails: 1}\n  backoff: {initialSeconds: 0}\n  failurePolicy: {rules: [{action: Ignore, exitCodes: [7]}]}\n")
	c.says(0, []string{"job/rest created"}, "apply", "-f", manifest)
	c.says(0, nil, "wait", "--for=condition=Finished", "job/rest", "--timeout=60s")
	c.says(0, []string{
		"Type: nap", "Phase: Succeeded", "Attempts: 2 started, 0 failed", "Idle limit: 61 s without output or progress (the default", "nap: fails: 1", "zzz",
	}, "describe", "job", "rest")
	c.says(0, []string{"zzz"}, "logs", "rest")
	write("  nap: {milliseconds: 2, fails: 1}\n  backoff: {initialSeconds: 0}\n  failurePolicy: {rules: [{action: Ignore, exitCodes: [7]}]}\n")
	c.says(1, []string{"spec.nap.milliseconds: Forbidden: field is immutable, the job has finished (Succeeded)"}, "apply", "-f", manifest)

	// A failure rule by a fact that no other type reports, which has no field of its own.
	rule := func(dream string) string {
		return "  nap: {milliseconds: 1, fails: 1, dream: falling}\n  backoff: {initialSeconds: 0}\n  failurePolicy: {rules: [{action: Ignore, dream: " + dream + "}]}\n"
	}
	manifest = named("dreamer")
	write(rule("[flying, {}]"))
	c.says(1, []string{"spec.failurePolicy.rules[0].dream: Invalid value: must be a list of 1 to 100 texts, numbers or booleans"}, "apply", "-f", manifest)
	write("  build: {action: x}\n  failurePolicy: {rules: [{action: Ignore, dream: [flying], dreams: [1]}]}\n")
	c.says(1, []string{
		"spec.failurePolicy.rules[0].dream: Forbidden: only a job of type nap reports it, this one is of type build",
		`unknown field "spec.failurePolicy.rules[0].dreams"`,
	}, "apply", "-f", manifest)
	write(rule("[flying, falling]"))
	c.says(0, []string{"job/dreamer created"}, "apply", "-f", manifest)
	c.says(0, nil, "wait", "--for=condition=Complete", "job/dreamer", "--timeout=60s")
	manifest = named("flyer")
	write(rule("[flying, 1]"))
	c.says(0, []string{"job/flyer created"}, "apply", "-f", manifest)
	c.says(0, nil, "wait", "--for=condition=Failed", "job/flyer", "--timeout=60s")
	c.says(0, []string{"dream:", "- flying"}, "get", "job", "flyer", "-o", "yaml")
	manifest = named("rest")

	// The command of its own, which the payload's names make.
	c.says(0, []string{"Nap: wait a while", "--field"}, "run", "nap", "--help")
	c.says(0, []string{"run build|deploy|api-call|nap …"}, "run", "--help")
	c.says(0, []string{"zzz", "job/short succeeded"}, "run", "nap", "--name", "short", "--field", "milliseconds=1")
	c.says(3, []string{"ExitCode", "The nap ended in a fright."}, "run", "nap", "--field", "milliseconds=1", "--field", "fails=9")
	c.says(2, []string{`--field: unknown field "colour"`}, "run", "nap", "--field", "colour=red")
	c.says(1, []string{"spec.nap.milliseconds: Invalid value: 0"}, "run", "nap")
	c.says(0, []string{"valid", "> nap: 5 ms"}, "run", "nap", "--field", "milliseconds=5", "--plan")

	// One bed is for one: the second waits for the first, which is then canceled.
	c.says(0, nil, "run", "nap", "--name", "first", "--detach", "--field", "milliseconds=60000", "--field", "bed=top")
	c.says(0, nil, "run", "nap", "--name", "second", "--detach", "--field", "milliseconds=1", "--field", "bed=top")
	c.says(0, []string{"bed top"}, "explain-wait", "second")
	c.says(0, nil, "cancel", "first")
	c.says(0, nil, "wait", "--for=condition=Complete", "job/second", "--timeout=60s")

	// The type can be suspended like any other.
	c.says(0, nil, "suspend", "workspace", "default", "--type", "nap")
	c.says(0, []string{"suspendTypes:", "- nap"}, "get", "workspace", "default", "-o", "yaml")
	c.says(0, nil, "resume", "workspace", "default", "--type", "nap")

	c.seed()
	c.listsTypes()

	// Backup, restore, and a server over what was restored.
	backup, restored := filepath.Join(t.TempDir(), "backup.json"), filepath.Join(t.TempDir(), "restored")
	c.says(0, nil, "backup", backup, "--data-dir", dir)
	stop()
	if !runner.closed.Load() {
		t.Error("the action was not closed with its server")
	}
	c.says(0, []string{"objects as of version"}, "restore", "--from", backup, "--data-dir", restored)
	c.says(0, nil, "fsck", "--data-dir", dir)
	c.address, stop = serveWith(t, restored, napKinds(), napMaker(new(napper)))
	c.says(0, []string{"milliseconds: 1", "type: nap"}, "get", "job", "short", "-o", "yaml")
	stop()

	// The program as it is shipped runs no naps, and loses none.
	c.kinds, c.more = v1.Kinds(), nil
	c.address, stop = serveWith(t, restored, v1.Kinds())
	defer stop()
	c.says(0, []string{"nap:", "milliseconds: 1", "type: nap"}, "get", "job", "short", "-o", "yaml")
	write("  type: nap\n  nap: {milliseconds: 1}\n")
	c.says(0, []string{"dream:", "- flying"}, "get", "job", "flyer", "-o", "yaml")
	c.says(1, []string{`unknown field "spec.nap"`, `spec.type: Unsupported value: "nap": supported values: "build", "deploy", "api_call"`}, "apply", "-f", manifest)
	c.says(2, []string{`unknown command "nap"`}, "run", "nap")
	c.says(0, nil, "delete", "job", "short")
}

// napCommands runs commands against a server, with naps unless kinds says otherwise.
type napCommands struct {
	*testing.T
	address string
	kinds   v1.KindSet
	more    []action.Maker
}

func (c napCommands) says(code int, want []string, args ...string) {
	c.Helper()
	kinds := c.kinds
	if kinds == nil {
		kinds = napKinds()
	}
	var out bytes.Buffer
	got := executeWith(c.Context(), append([]string{"--server", c.address}, args...), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out}, kinds, c.more...)
	text := strings.Join(strings.Fields(out.String()), " ")
	for _, line := range want {
		if !strings.Contains(text, strings.Join(strings.Fields(line), " ")) {
			c.Errorf("%s prints\n%s\nwithout %q", strings.Join(args, " "), out.String(), line)
		}
	}
	if got != code {
		c.Fatalf("%s: code %d, want %d:\n%s", strings.Join(args, " "), got, code, out.String())
	}
}

// seed creates a nap over /api/jobs, which answers the payload as it was sent.
func (c napCommands) seed() {
	c.Helper()
	call := func(method, path, body string, status int) string {
		c.Helper()
		request, err := http.NewRequestWithContext(c.Context(), method, c.address+path, strings.NewReader(body))
		if err != nil {
			c.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.AddCookie(&http.Cookie{Name: "active_workspace", Value: v1.DefaultWorkspace})
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			c.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != status {
			c.Fatalf("%s %s: %d, %v: %s", method, path, response.StatusCode, err, text)
		}
		return string(text)
	}
	var created struct{ Result struct{ ID string } }
	if err := json.Unmarshal([]byte(call(http.MethodPost, "/api/jobs", `{"type":"nap","payload":{"fails":0,"milliseconds":1}}`, http.StatusAccepted)), &created); err != nil {
		c.Fatal(err)
	}
	if shown := call(http.MethodGet, "/api/jobs/"+created.Result.ID, "", http.StatusOK); !strings.Contains(shown, `"payload":{"fails":0,"milliseconds":1}`) || !strings.Contains(shown, `"type":"nap"`) {
		c.Errorf("the seed's job is %s", shown)
	}
	if refused := call(http.MethodPost, "/api/jobs", `{"type":"nap","payload":{"milliseconds":0}}`, http.StatusBadRequest); !strings.Contains(refused, "payload.milliseconds: Invalid value: 0") {
		c.Errorf("refused with %s", refused)
	}
	if refused := call(http.MethodPost, "/api/jobs", `{"type":"kip"}`, http.StatusBadRequest); !strings.Contains(refused, `\"api_call\", \"nap\"`) {
		c.Errorf("refused with %s", refused)
	}
}

// listsTypes reads what the page makes its form of.
func (c napCommands) listsTypes() {
	c.Helper()
	response, err := http.Get(c.address + "/api/types")
	if err != nil {
		c.Fatal(err)
	}
	defer response.Body.Close()
	var list v1.JobTypeList
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		c.Fatal(err)
	}
	if n := len(list.Items); n != 4 || list.Items[3] != (v1.JobTypeInfo{Type: typeNap, Field: "nap", Title: "Nap", About: "wait a while"}) || list.Items[2].Field != "apiCall" {
		c.Errorf("types %+v", list.Items)
	}
}

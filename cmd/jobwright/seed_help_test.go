package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/yaml"

	"jobwright.dev/api/server"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/commands/local"
	"jobwright.dev/store/file"
	logfiles "jobwright.dev/store/logs/file"
	"jobwright.dev/web"
)

// reality is what a row of `jobwright help seed` is held against:
//
//	route METHOD PATH   the server has it (no route: it has not)
//	flag NAME           jobwright serve has it (no flag)
//	command NAME        jobwright has it (no command)
//	field PATH          the Job's schema has it, and it is acted on (no field)
//	kind NAME           it is served (no kind)
//	file PATH           it is there (no file)
//	test NAME           a test shows it
type reality map[string][]string

func seedReality() reality {
	return reality{
		"server/temp/jobs.json":             {"flag data-dir", "command import", "test script/import.txtar"},
		"job types build, deploy, api_call": {"test TestTheSamplesOfTheDocumentation"},
		"statuses queued to canceled":       {"field status.phase"},
		"worker in the process":             {"command serve"},
		"one job at a time":                 {"flag max-concurrent-jobs"},
		"GET /api/jobs":                     {"route GET /api/jobs", "route GET /api/jobs?limit=1&offset=1"},
		"POST /api/jobs":                    {"route POST /api/jobs"},
		"GET /api/jobs/:id":                 {"route GET /api/jobs/x", "test TestTheSamplesOfTheDocumentation"},
		"POST /api/jobs/:id":                {"route POST /api/jobs/x", "test TestTheSamplesOfTheDocumentation"},
		"page /jobs":                        {"route GET /jobs"},
		"cookie active_workspace":           {"test TestTheSamplesOfTheDocumentation"},
		"MCP server tools/geo-builders-mcp": {"flag mcp-config", "test TestTheSamplesOfTheDocumentation"},
		"docker compose verbs":              {"flag compose-root", "test TestTheSampleOfADeployBringsAProjectUp"},
		"creator (email, id)":               {"field spec.createdBy"},
		"no access to other workspaces":     {"test TestEveryRouteKeepsWorkspacesApart"},
		"sign-in through Supabase":          {"no flag auth", "no flag jwt-secret", "no command login"},
		"library @/lib/jobs":                {"no file ../../api/typescript"},
		"library @/lib/filedb":              {"no file ../../api/typescript"},
		"curl at port 3000":                 {"flag listen"},
		"worker not started":                {"test TestAWorkerThatStartsNoJobSaysSo"},
		"jobs.json not writable":            {"test TestJobsJSONThatCannotBeWrittenIsNoticed", "test TestAReadOnlyFolder"},
		"MCP server not built":              {"test script/troubleshooting.txtar", "command mcp check"},
		"jobs stuck in running":             {"command explain-wait", "command cancel", "command retry", "field spec.idleTimeoutSeconds"},
		"limit job retention":               {"no field spec.ttlSecondsAfterFinished", "no flag retention"},
		"paginate the job list":             {"route GET /api/jobs?limit=1&offset=1"},
		"archive logs":                      {"flag max-log-bytes"},
		"index jobs":                        {"route GET /apis/jobwright.dev/v1/namespaces/default/jobs?fieldSelector=status.phase%3DFailed&labelSelector=a%3Db"},
		"priority queue":                    {"field spec.priority"},
		"job dependencies":                  {"field spec.dependsOn"},
		"retry logic":                       {"field spec.backoffLimit", "field spec.backoff", "field spec.failurePolicy", "command retry"},
		"delayed jobs":                      {"field spec.startAfter"},
		"recurring jobs":                    {"no kind CronJob"},
		"webhooks":                          {"no kind Webhook"},
		"job templates":                     {"no kind JobTemplate"},
		"batch operations":                  {"route POST /api/jobs several"},
		"job artifacts":                     {"field status.artifacts"},
		"queue in Postgres":                 {"no file ../../store/postgres", "no flag store"},
		"queue in Redis":                    {"no file ../../store/redis", "no flag store"},
		"AWS SQS":                           {"no file ../../store/sqs", "no flag store"},
		"Google Cloud Tasks":                {"no file ../../store/cloudtasks", "no flag store"},
		"Vercel Cron":                       {"no kind CronJob"},
		"dedicated worker":                  {"no command worker"},
	}
}

// TestWhatHelpSeedSays holds every row of the table against the product: what it says is
// here has to be, and what it says is not yet here must not have come unnoticed.
func TestWhatHelpSeedSays(t *testing.T) {
	p := newProduct(t)
	proofs := seedReality()
	for _, feature := range local.SeedFeatures() {
		t.Run(feature.Name, func(t *testing.T) {
			if len(proofs[feature.Name]) == 0 {
				t.Fatal("nothing shows it")
			}
			for _, proof := range proofs[feature.Name] {
				what, absent := strings.CutPrefix(proof, "no ")
				if absent != (feature.Where == local.NotYet) {
					t.Errorf("%q is no proof of %q", proof, feature.Where)
				}
				if there := p.has(t, what); there == absent {
					t.Errorf("%q does not hold; the table says %q", proof, feature.Where)
				}
			}
		})
		delete(proofs, feature.Name)
	}
	for name := range proofs {
		t.Errorf("the table has no feature %q", name)
	}
	code, out := p.run("help", "seed")
	if code != cli.ExitOK || !strings.Contains(out, "priority queue") || !strings.Contains(out, "spec.priority") {
		t.Errorf("help seed: %d %s", code, out)
	}
	if _, out := p.run("--help"); !strings.Contains(out, "seed") {
		t.Errorf("--help names no topic: %s", out)
	}
}

// product is what there is to be held against.
type product struct {
	url    string
	schema map[string]any
}

func newProduct(t *testing.T) *product {
	t.Helper()
	dir := t.TempDir()
	objects, err := file.Open(dir, file.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	archive, err := logfiles.Open(filepath.Join(dir, "logs"), 0)
	if err != nil {
		t.Fatal(err)
	}
	api, err := server.New(server.Options{Store: objects, Logs: archive, Web: web.Handler(), Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(api)
	t.Cleanup(func() {
		listening.Close()
		archive.Close()
		if err := objects.Close(); err != nil {
			t.Error(err)
		}
	})
	text, err := os.ReadFile("../../manifests/crd/jobwright.dev_jobs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := &product{url: listening.URL}
	if err := yaml.Unmarshal(text, &p.schema); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *product) run(args ...string) (int, string) {
	var out strings.Builder
	code := execute(context.Background(), args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out})
	return code, out.String()
}

// has reports whether the product has something.
func (p *product) has(t *testing.T, what string) bool {
	t.Helper()
	kind, name, _ := strings.Cut(what, " ")
	switch kind {
	case "flag":
		command, _, err := newRoot(cli.Streams{}, v1.Kinds()).Find([]string{"serve"})
		return err == nil && command.Flags().Lookup(name) != nil
	case "command":
		words := strings.Fields(name)
		command, _, err := newRoot(cli.Streams{}, v1.Kinds()).Find(words)
		return err == nil && command.Name() == words[len(words)-1]
	case "kind":
		_, ok := v1.KindByName(name)
		return ok
	case "field":
		return p.hasField(t, name)
	case "file":
		_, err := os.Stat(name)
		return err == nil
	case "test":
		return hasTest(t, name)
	case "route":
		return p.hasRoute(t, name)
	}
	t.Fatalf("%q is no proof", what)
	return false
}

// hasField reports whether the schema has a field that is not refused.
func (p *product) hasField(t *testing.T, path string) bool {
	t.Helper()
	versions := p.schema["spec"].(map[string]any)["versions"].([]any)
	at := versions[0].(map[string]any)["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)
	for name := range strings.SplitSeq(path, ".") {
		properties, _ := at["properties"].(map[string]any)
		next, ok := properties[name].(map[string]any)
		if !ok {
			return false
		}
		at = next
	}
	seconds := int64(1)
	job := &v1.Job{Spec: v1.JobSpec{Type: v1.JobTypeAPICall, TTLSecondsAfterFinished: &v1.TTLSeconds{Failed: &seconds}}}
	refused := slices.ContainsFunc(v1.ValidateJob(job).ToAggregate().Errors(), func(err error) bool {
		return strings.Contains(err.Error(), path+": Forbidden: not supported yet")
	})
	return !refused
}

// hasTest reports whether a script of this folder or a test function has that name.
func hasTest(t *testing.T, name string) bool {
	t.Helper()
	if script, ok := strings.CutPrefix(name, "script/"); ok {
		_, err := os.Stat(filepath.Join("testdata/script", script))
		return err == nil
	}
	files, err := filepath.Glob("../../*/*/*_test.go") // of api/server, cmd/jobwright and others
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "func "+name+"(t *testing.T)") {
			return true
		}
	}
	return false
}

// hasRoute reports whether the server answers a request as that of a route it has.
func (p *product) hasRoute(t *testing.T, route string) bool {
	t.Helper()
	words := strings.Fields(route)
	body := ""
	switch {
	case len(words) > 2:
		body = `{"jobs":[{"type":"api_call"}]}`
	case words[1] == "/api/jobs":
		body = `{"type":"api_call"}`
	case words[0] == http.MethodPost:
		body = `{"action":"cancel"}`
	}
	r, err := http.NewRequestWithContext(t.Context(), words[0], p.url+words[1], strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.AddCookie(&http.Cookie{Name: server.WorkspaceCookie, Value: "default"})
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	// The job x is not there, which only a route for it tells.
	return response.StatusCode < 300 || response.StatusCode == http.StatusNotFound && strings.Contains(string(text), `"error":"not_found"`)
}

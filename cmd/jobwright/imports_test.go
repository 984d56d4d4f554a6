package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "jobwright.dev/"

// importRule says what the packages below a folder may depend on within this
// module, directly or through others. A folder that ends in /... stands for
// everything below it. The first rule whose folder fits decides; a package that
// none fits fails the test, so that its place is decided when it is made.
type importRule struct {
	folder string
	allow  []string
}

// The direction: api/v1 ← store ← { store/<engine>, store/logs, store/events };
// { store, store/logs, store/events } ← { controller/…, api/server } ← cmd. Nothing leads
// from api to controller.
func importRules() []importRule {
	return []importRule{
		{"api/v1", nil},
		{"api/seed", []string{"api/v1", "api/strict"}},
		{"api/strict", []string{"api/v1"}},
		{"api/client", []string{"api/...", "store"}},
		{"api/server/auth", nil},
		{"api/server/deadline", nil},
		{"api/server/public", nil},
		{"api/server/eventview", []string{"api/core", "api/server/public", "api/v1", "store", "store/events"}},
		{"api/server/...", []string{"api/...", "store", "store/logs", "store/events", "web"}},
		{"api/...", []string{"api/..."}},
		{"store/table", nil},
		{"store/filedb", nil},
		{"store", []string{"api/v1"}},
		{"store/logs/...", []string{"api/v1", "store", "store/logs/..."}},
		{"store/events/...", []string{"api/v1", "store", "store/events/..."}},
		{"store/wire", []string{"api/client", "api/core", "api/v1", "store"}}, // the one way from store into api beyond v1
		{"store/watchring", []string{"api/v1", "store"}},
		{"store/vfs/...", []string{"store/vfs/..."}},
		{"store/journal", []string{"store/vfs"}},
		{"store/storetest/...", []string{"api/v1", "store", "store/watchring"}},
		{"store/*", []string{"api/v1", "api/strict", "store", "store/journal", "store/vfs", "store/table", "store/watchring"}},
		{"controller/job/lifecycle", []string{"api/v1", "controller/action"}},
		{"controller/job/schedule", []string{"api/v1", "store/table"}},
		{"controller/job/spool", []string{"api/v1", "controller/action", "store/filedb"}},
		{"controller/job/garbage", []string{"api/v1", "store", "store/events", "store/logs", "controller", "controller/action"}},
		{"controller/job/status", []string{"api/v1", "store", "store/events"}},
		{"controller/job/dispatch", []string{ // not controller/job/work: the two may stand in two processes one day
			"api/v1", "store", "store/events", "store/table",
			"controller", "controller/action", "controller/job/lifecycle", "controller/job/schedule", "controller/job/status",
		}},
		{"controller/job/work", []string{
			"api/v1", "store", "store/events", "store/filedb", "store/logs",
			"controller", "controller/action", "controller/job/lifecycle", "controller/job/spool", "controller/job/status",
		}},
		{"controller", []string{"api/v1", "store"}}, // it knows no kind
		// Of mcp: values and texts, then the wire, then one session, then the servers with all
		// of theirs; the attempt is above them.
		{"controller/action/mcp/display", nil},
		{"controller/action/mcp/answer", nil},
		{"controller/action/mcp/pool", nil},
		{"controller/action/mcp/memory", []string{"controller/action/jobfiles", "store/filedb"}},
		{"controller/action/mcp/schema", []string{"controller/action/mcp/display"}},
		{"controller/action/mcp/config", []string{"api/v1", "api/strict", "store/filedb"}},
		{"controller/action/mcp/wire", []string{"api/v1", "api/strict", "store/filedb", "controller/action/outbound"}},
		{"controller/action/mcp/catalog", []string{
			"api/v1", "api/strict", "store/filedb", "controller/action/outbound",
			"controller/action/mcp/config", "controller/action/mcp/display", "controller/action/mcp/schema", "controller/action/mcp/wire",
		}},
		{"controller/action/mcp/questions", []string{
			"api/v1", "api/strict", "store/filedb", "controller/action",
			"controller/action/mcp/config", "controller/action/mcp/display", "controller/action/mcp/schema",
		}},
		{"controller/action/mcp/outcome", []string{ // it knows no session: a function of values
			"api/v1", "api/strict", "store/filedb", "controller/action", "controller/action/outbound", "controller/action/process",
			"controller/action/mcp/answer", "controller/action/mcp/config", "controller/action/mcp/display", "controller/action/mcp/schema", "controller/action/mcp/wire",
		}},
		// One session knows neither the others nor the jobs that they are for; tasks know sessions
		// and not whose they are; the servers know no attempt.
		{"controller/action/mcp/session", []string{
			"api/v1", "api/strict", "controller/action", "controller/action/outbound", "controller/action/process", "controller/action/secrets", "store/filedb",
			"controller/action/mcp/answer", "controller/action/mcp/catalog", "controller/action/mcp/config", "controller/action/mcp/container", "controller/action/mcp/display", "controller/action/mcp/endpoint", "controller/action/mcp/oauth/...", "controller/action/mcp/program", "controller/action/mcp/questions", "controller/action/mcp/schema", "controller/action/mcp/wire",
		}},
		{"controller/action/mcp/tasks", []string{
			"api/v1", "api/strict", "controller/action", "controller/action/outbound", "controller/action/process", "controller/action/secrets", "store/filedb",
			"controller/action/mcp/answer", "controller/action/mcp/catalog", "controller/action/mcp/config", "controller/action/mcp/container", "controller/action/mcp/display", "controller/action/mcp/endpoint", "controller/action/mcp/oauth/...", "controller/action/mcp/program", "controller/action/mcp/questions", "controller/action/mcp/schema", "controller/action/mcp/wire", "controller/action/mcp/session",
		}},
		{"controller/action/mcp/servers", []string{
			"api/v1", "api/strict", "controller/action", "controller/action/outbound", "controller/action/process", "controller/action/secrets", "store/filedb",
			"controller/action/mcp/answer", "controller/action/mcp/catalog", "controller/action/mcp/config", "controller/action/mcp/container", "controller/action/mcp/display", "controller/action/mcp/endpoint", "controller/action/mcp/oauth/...", "controller/action/mcp/program", "controller/action/mcp/questions", "controller/action/mcp/schema", "controller/action/mcp/wire", "controller/action/mcp/pool", "controller/action/mcp/session",
		}},
		{"controller/action/...", []string{"api/v1", "api/strict", "controller/action/...", "store/filedb"}},
		{"controller/...", []string{"api/v1", "api/strict", "store", "store/logs", "store/events", "controller/...", "store/table", "store/filedb"}},
		{"web", nil},
		{"cmd/builders-mcp/...", []string{"cmd/builders-mcp/..."}},
		{"cmd/jobwright/cli", []string{"api/...", "store", "store/filedb"}},
		{"cmd/jobwright/datadir", []string{"store/filedb", "store/vfs"}},
		{"cmd/jobwright/print", []string{"api/...", "store", "store/filedb", "cmd/jobwright/cli"}},
		{"cmd/jobwright/selection", []string{"api/...", "store", "store/filedb", "cmd/jobwright/cli"}},
		{"cmd/jobwright/manifest", []string{"api/...", "store", "store/filedb", "cmd/jobwright/cli"}},
		{"cmd/jobwright/commands/mcp", []string{ // check reads the file as serve does
			"api/...", "store", "store/filedb", "controller/action/...",
			"cmd/jobwright/cli", "cmd/jobwright/print", "cmd/jobwright/selection",
		}},
		{"cmd/jobwright/commands/*", []string{ // clients: they know the API, and neither stores nor controllers
			"api/...", "store", "store/filedb",
			"cmd/jobwright/cli", "cmd/jobwright/print", "cmd/jobwright/selection", "cmd/jobwright/manifest",
		}},
		{"cmd/jobwright/offline", []string{"api/...", "store/...", "controller/action", "controller/action/compose/engine", "controller/action/compose/revisions", "controller/action/process", "controller/action/secrets", "cmd/jobwright/cli", "cmd/jobwright/datadir", "cmd/jobwright/print"}},
		{"cmd/jobwright/serve", []string{"api/...", "store/...", "controller/...", "web", "cmd/jobwright/cli", "cmd/jobwright/datadir"}},
		{"cmd/...", []string{"..."}},
	}
}

// TestImportsFollowTheDirection checks production code, over all its dependencies.
func TestImportsFollowTheDirection(t *testing.T) {
	packages := listPackages(t)
	for _, p := range packages {
		rule, ok := ruleFor(p.ImportPath)
		if !ok {
			t.Errorf("%s has no rule; say in importRules what it may depend on", p.ImportPath)
			continue
		}
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, module) && dep != p.ImportPath && !allowed(rule.allow, dep) {
				t.Errorf("%s depends on %s; packages of %s may depend on %v only", p.ImportPath, dep, rule.folder, rule.allow)
			}
		}
	}
}

// TestProductionDependsOnNoTestPackage: a package whose name ends in test is for
// tests; only others of its kind may import it.
func TestProductionDependsOnNoTestPackage(t *testing.T) {
	for _, p := range listPackages(t) {
		if strings.HasSuffix(p.ImportPath, "test") {
			continue
		}
		for _, dep := range p.Deps {
			ours := strings.HasPrefix(dep, module) && strings.HasSuffix(path.Base(dep), "test")
			if ours || dep == "testing" || strings.HasPrefix(dep, "github.com/google/go-cmp/") {
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
		}
	}
}

// TestObjectsAreLight: whoever writes a client takes api/v1 with it, so it stays
// with the standard library and apimachinery.
func TestObjectsAreLight(t *testing.T) {
	for _, p := range listPackages(t) {
		if p.ImportPath != module+"api/v1" {
			continue
		}
		for _, imported := range p.Imports {
			standard := !strings.Contains(strings.Split(imported, "/")[0], ".")
			if !standard && !strings.HasPrefix(imported, "k8s.io/apimachinery/") {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

func ruleFor(importPath string) (importRule, bool) {
	rules := importRules()
	i := slices.IndexFunc(rules, func(r importRule) bool { return below(r.folder, strings.TrimPrefix(importPath, module)) })
	if i < 0 {
		return importRule{}, false
	}
	return rules[i], true
}

func allowed(folders []string, importPath string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return below(folder, strings.TrimPrefix(importPath, module)) })
}

// below reports whether the package lies in the folder: "a" is a alone, "a/*" one
// level below it, "a/..." a and everything below it.
func below(folder, pkg string) bool {
	if base, deep := strings.CutSuffix(folder, "..."); deep {
		return base == "" || pkg == strings.TrimSuffix(base, "/") || strings.HasPrefix(pkg, base)
	}
	match, err := path.Match(folder, pkg)
	return err == nil && match
}

type goPackage struct {
	ImportPath    string
	Imports, Deps []string
}

// listPackages describes the production code of every package of this module.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Deps", module+"...")
	out, err := list.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, p)
	}
	if len(packages) == 0 {
		t.Fatal("go list named no package")
	}
	return packages
}

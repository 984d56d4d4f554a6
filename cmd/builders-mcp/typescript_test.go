package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// modules is the folder with the npm packages that these tests need.
func modules(t *testing.T, packages ...string) string {
	t.Helper()
	dir := filepath.Join(os.Getenv("JOBWRIGHT_TEST_NPM"), "node_modules")
	missing := os.Getenv("JOBWRIGHT_TEST_NPM") == ""
	for _, p := range packages {
		if _, err := os.Stat(filepath.Join(dir, p, "package.json")); err != nil {
			missing = true
		}
	}
	if _, err := exec.LookPath("node"); err != nil || missing {
		message := "the generated TypeScript is NOT checked: needs node and `npm install " + strings.Join(packages, " ") + "`, its folder in JOBWRIGHT_TEST_NPM"
		if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	return dir
}

// generate writes every builder's files with every set of values: one application in a
// folder for each set. It returns the folder of them all, with the packages in it.
func generate(t *testing.T, modules string) string {
	t.Helper()
	dir := t.TempDir()
	for set, byBuilder := range sets {
		for id, values := range byBuilder {
			if err := apply(t.Context(), openRoot(t, dir), applyInput{ID: id, Variables: values, Target: set}, silent); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tsc runs the TypeScript compiler in a folder.
func tsc(t *testing.T, modules, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", append([]string{filepath.Join(modules, "typescript/bin/tsc")}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("tsc %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestTypeScript has the real compiler check what the builders write, with the options
// that a new Next.js application has and stricter ones. The types are those of the real
// packages; only those of Next.js itself, which is too large to install for a test, are
// declared in testdata/next.d.ts, unless it is installed. What this cannot show is
// whether these declarations still are those of the newest release.
func TestTypeScript(t *testing.T) {
	modules := modules(t, "typescript", "@supabase/ssr", "@supabase/supabase-js", "@types/node", "@types/react")
	dir := generate(t, modules)
	beside := []string{"mistakes.ts"}
	if _, err := os.Stat(filepath.Join(modules, "next/package.json")); err != nil {
		beside = append(beside, "next.d.ts")
	}
	for _, name := range beside {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, name, string(data))
	}
	config, err := json.Marshal(map[string]any{
		"compilerOptions": map[string]any{
			"target": "es2022", "lib": []string{"dom", "dom.iterable", "esnext"},
			"module": "esnext", "moduleResolution": "bundler", "isolatedModules": true, "esModuleInterop": true,
			"jsx": "react-jsx", "skipLibCheck": true, "types": []string{"node", "react"},
			"noUncheckedIndexedAccess": true, "exactOptionalPropertyTypes": true, "noImplicitReturns": true,
			"noUnusedLocals": true, "noUnusedParameters": true, "noFallthroughCasesInSwitch": true,
		},
		"include": []string{"**/*.ts", "**/*.tsx"},
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "tsconfig.json", string(config))
	tsc(t, modules, dir, "--noEmit", "--strict", "--project", ".")
}

// TestGeneratedTests runs the tests that the builders write.
func TestGeneratedTests(t *testing.T) {
	modules := modules(t, "typescript")
	dir := generate(t, modules)
	var sources, scripts []string
	for name := range tree(t, dir) {
		testless := !strings.Contains(name, "/api/") && !strings.Contains(name, "/quota/") && !strings.Contains(name, "/q/")
		if strings.HasSuffix(name, ".ts") && !testless {
			sources = append(sources, name)
		}
		if strings.HasSuffix(name, ".test.ts") {
			scripts = append(scripts, strings.TrimSuffix(name, ".ts")+".js")
		}
	}
	if len(scripts) != 6 {
		t.Errorf("the tests are %v", scripts)
	}
	tsc(t, modules, dir, append([]string{"--noCheck", "--noResolve", "--esModuleInterop", "--module", "commonjs", "--target", "es2022", "--rootDir", ".", "--outDir", "."}, sources...)...)
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"--test"}, scripts...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "pass 36\n") {
		t.Errorf("node --test: %v\n%s", err, out)
	}
}

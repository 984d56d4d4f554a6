package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateGoldens = flag.Bool("update", false, "write the golden files anew")

// sets are values for the variables of each builder: as few as can be, those of the
// examples in the documentation of /api/jobs, and odd ones.
var sets = map[string]map[string]map[string]scalar{
	"default": {
		"nextjs-api-route":    {"ROUTE_NAME": "health"},
		"supabase-auth-pages": nil,
		"quota-check-lib":     nil,
	},
	"documented": {
		"nextjs-api-route":    {"ROUTE_NAME": "health"},
		"supabase-auth-pages": {"LOGIN_PATH": "login", "DASHBOARD_PATH": "dashboard"},
		"quota-check-lib":     {},
	},
	"odd": {
		"nextjs-api-route": {"ROUTE_NAME": "v2-a-1", "APP_DIR": "src/app/(api)/@x"},
		"supabase-auth-pages": {
			"APP_DIR": "src/app", "LIB_DIR": "src/app/_lib.d/db", "LOGIN_PATH": "/me/Sign_in-1", "DASHBOARD_PATH": "me", "NEXT_RELEASE": "15",
		},
		"quota-check-lib": {"LIB_DIR": "q", "RESOURCE": "t_2__x_", "LIMIT": "1", "WINDOW_SECONDS": "999999999"},
	},
}

// forEachSet runs a test for each builder with each of its sets.
func forEachSet(t *testing.T, test func(t *testing.T, set string, b builder, values map[string]scalar)) {
	for set, byBuilder := range sets {
		for _, b := range builders {
			values, ok := byBuilder[b.ID]
			if !ok {
				t.Errorf("the set %s has no values for %s", set, b.ID)
			}
			t.Run(b.ID+", "+set, func(t *testing.T) { test(t, set, b, values) })
		}
	}
}

func TestGoldens(t *testing.T) {
	forEachSet(t, func(t *testing.T, set string, b builder, values map[string]scalar) {
		files, err := b.render(values)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, f := range files {
			fmt.Fprintf(&got, "-- %s --\n%s", f.path, f.data)
			if !strings.HasSuffix(string(f.data), "\n") || strings.Contains(string(f.data), "[[.") || strings.Contains(string(f.data), "<no value>") {
				t.Errorf("%s does not end in a line or holds a piece of its template", f.path)
			}
		}
		golden := filepath.Join("testdata", b.ID+"-"+set+".golden")
		if *updateGoldens {
			if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (go test -update writes it anew):\n%s", golden, diff)
		}
	})
}

func TestEveryTemplateIsUsed(t *testing.T) {
	for _, b := range builders {
		used := map[string]bool{}
		for _, source := range b.files {
			used[source] = true
		}
		entries, err := templates.ReadDir("templates/" + b.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !used[e.Name()] {
				t.Errorf("templates/%s/%s is written by nobody", b.ID, e.Name())
			}
		}
	}
}

func TestDefaultsAreAllowed(t *testing.T) {
	for _, b := range builders {
		for _, v := range b.Variables {
			if v.Required != (v.Default == "") {
				t.Errorf("%s.%s is required with a default, or neither", b.ID, v.Name)
			}
			if !v.Required {
				if err := allow(v.Default, v.Allowed, v.Pattern); err != nil {
					t.Errorf("%s.%s: %v", b.ID, v.Name, err)
				}
			}
		}
	}
}

// TestBadArguments asks a real server; each answer names what is wrong, the value, and
// what is allowed instead.
func TestBadArguments(t *testing.T) {
	dir := t.TempDir()
	s := connect(t, overStdio, dir, nil)
	route, auth, quota := "nextjs-api-route", "supabase-auth-pages", "quota-check-lib"
	for name, test := range map[string]struct {
		id, variable string
		value        any
		want         []string
	}{
		"a required variable is missing":      {route, "", nil, []string{"variables.ROUTE_NAME: required: name of the route", "lower-case words", "health-check"}},
		"a variable that is not there":        {quota, "LIMITS", "1", []string{"variables.LIMITS: unknown; builder quota-check-lib has: LIB_DIR, RESOURCE, LIMIT, WINDOW_SECONDS"}},
		"a variable of another case":          {quota, "limit", "1", []string{"variables.limit: unknown", "LIMIT"}},
		"an empty name":                       {route, "ROUTE_NAME", "", []string{`variables.ROUTE_NAME: "" is not allowed; allowed: lower-case words`}},
		"a name that leads up":                {route, "ROUTE_NAME", "../up", []string{`variables.ROUTE_NAME: "../up" is not allowed`}},
		"a name in capitals":                  {route, "ROUTE_NAME", "Health", []string{`variables.ROUTE_NAME: "Health"`}},
		"a name with a line break":            {route, "ROUTE_NAME", "health\n", []string{`variables.ROUTE_NAME: "health\n"`}},
		"a name that ends a literal":          {route, "ROUTE_NAME", "x'+y", []string{`variables.ROUTE_NAME: "x'+y"`}},
		"a name that is too long":             {route, "ROUTE_NAME", strings.Repeat("x", 101), []string{"variables.ROUTE_NAME:", "it has 101 characters; allowed: at most 100"}},
		"a folder that is absolute":           {auth, "APP_DIR", "/etc", []string{`variables.APP_DIR: "/etc" is not allowed; allowed: a relative path`, "src/app"}},
		"a folder that leads up":              {auth, "LIB_DIR", "lib/../../up", []string{`variables.LIB_DIR: "lib/../../up"`}},
		"a folder that is hidden":             {auth, "LIB_DIR", ".git/hooks", []string{`variables.LIB_DIR: ".git/hooks"`}},
		"a folder of another system":          {auth, "LIB_DIR", `lib\up`, []string{`variables.LIB_DIR: "lib\\up"`}},
		"a folder with an empty part":         {auth, "LIB_DIR", "lib//x", []string{`variables.LIB_DIR: "lib//x"`}},
		"a page of another site":              {auth, "LOGIN_PATH", "//evil.example", []string{`variables.LOGIN_PATH: "//evil.example" is not allowed; allowed: a path of letters`}},
		"a page with a scheme":                {auth, "LOGIN_PATH", "https://evil.example", []string{`variables.LOGIN_PATH: "https:`}},
		"a page that ends a literal":          {auth, "DASHBOARD_PATH", "/a'", []string{`variables.DASHBOARD_PATH: "/a'"`}},
		"a page that leads up":                {auth, "DASHBOARD_PATH", "../up", []string{`variables.DASHBOARD_PATH: "../up"`}},
		"a page that is every page":           {auth, "DASHBOARD_PATH", "/", []string{`variables.DASHBOARD_PATH: "/" is not allowed`}},
		"two pages at one path":               {auth, "DASHBOARD_PATH", "/auth/login", []string{"two files of builder supabase-auth-pages would both be app/auth/login/page.tsx"}},
		"a release that is too old":           {auth, "NEXT_RELEASE", 14, []string{`variables.NEXT_RELEASE: "14" is not allowed; allowed: a major release of Next.js, 15 or newer`}},
		"a resource that ends a statement":    {quota, "RESOURCE", "x; drop", []string{`variables.RESOURCE: "x; drop" is not allowed; allowed: a lower-case letter`}},
		"a resource longer than PostgreSQL's": {quota, "RESOURCE", strings.Repeat("x", 41), []string{"variables.RESOURCE: ", "at most 39"}},
		"no limit":                            {quota, "LIMIT", 0, []string{`variables.LIMIT: "0" is not allowed; allowed: a whole number from 1 to 999999999`}},
		"a limit below zero":                  {quota, "LIMIT", -5, []string{`variables.LIMIT: "-5"`}},
		"a limit with a fraction":             {quota, "LIMIT", 1.5, []string{`variables.LIMIT: "1.5"`}},
		"a limit above what is counted":       {quota, "LIMIT", "1000000000", []string{`variables.LIMIT: "1000000000"`}},
		"a window of true":                    {quota, "WINDOW_SECONDS", true, []string{`variables.WINDOW_SECONDS: "true"`}},
		"a variable that is null":             {quota, "LIMIT", nil, []string{"variables", "null", "string, number, boolean"}},
		"a variable that is a list":           {quota, "LIMIT", []int{1}, []string{"variables", "[1]", "string, number, boolean"}},
		"a builder that is not there":         {"no-such-builder", "", nil, []string{"id", "no-such-builder", "nextjs-api-route supabase-auth-pages quota-check-lib"}},
		"folders in which two files are one":  {auth, "LIB_DIR", "app/auth/x", nil},
		"a limit as a number is no mistake":   {quota, "LIMIT", 5, nil},
		"a release as a number is no mistake": {auth, "NEXT_RELEASE", 15, nil},
		"a page with a slash is no mistake":   {auth, "LOGIN_PATH", "/sign-in", nil},
	} {
		t.Run(name, func(t *testing.T) {
			in := arguments{"id": test.id}
			if test.variable != "" {
				in["variables"] = arguments{test.variable: test.value}
			}
			_, preview, failed := s.call(t, "preview_apply", in)
			if failed != (test.want != nil) {
				t.Fatalf("preview: %s", preview)
			}
			if !failed {
				return
			}
			_, text, failed := s.call(t, "apply_builder", in)
			if !failed || text != preview {
				t.Errorf("apply_builder says %q, preview_apply says %q", text, preview)
			}
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q lacks %q", text, want)
				}
			}
			if got := tree(t, dir); len(got) != 0 {
				t.Errorf("%v was written", got)
			}
		})
	}
}

func TestEveryProblemIsSaidAtOnce(t *testing.T) {
	b, err := findBuilder("quota-check-lib")
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.render(map[string]scalar{"LIMIT": "x", "RESOURCE": "Y", "Z": ""})
	if got := strings.Count(err.Error(), "variables."); got != 3 {
		t.Errorf("%d problems in %v", got, err)
	}
}

func TestBadTargets(t *testing.T) {
	dir := t.TempDir()
	s := connect(t, overStdio, dir, nil)
	for _, target := range []string{"..", "../x", "a/../..", "/etc", "a//b", "a/", ".git", "a\x00b", "a\nb", strings.Repeat("a", 101)} {
		_, text, failed := s.call(t, "apply_builder", arguments{"id": "quota-check-lib", "target": target})
		if !failed || !strings.HasPrefix(text, "target: ") || !strings.Contains(text, "allowed: ") {
			t.Errorf("%q: %s", target, text)
		}
	}
	if got := tree(t, dir); len(got) != 0 {
		t.Errorf("%v was written", got)
	}
}

func TestFilesAtOnePlaceAreRefused(t *testing.T) {
	b, err := findBuilder("supabase-auth-pages")
	if err != nil {
		t.Fatal(err)
	}
	b.files = map[string]string{"[[.APP_DIR]]/x.ts": "server.ts", "[[.LIB_DIR]]/x.ts": "settings.ts"}
	_, err = b.render(map[string]scalar{"APP_DIR": "a", "LIB_DIR": "a"})
	if err == nil || !strings.Contains(err.Error(), "would both be a/x.ts") {
		t.Errorf("error %v", err)
	}
}

func TestScalar(t *testing.T) {
	for text, want := range map[string]scalar{`"a\u0062"`: "ab", "7": "7", "1.50": "1.50", "true": "true"} {
		var got scalar
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"null", "[]", "{}", `"`} {
		var got scalar
		if err := got.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestImportPath(t *testing.T) {
	for _, test := range []struct{ from, to, want string }{
		{"app/auth", "lib/supabase/server", "../../lib/supabase/server"},
		{"app/auth/callback", "app/lib/server", "../../lib/server"},
		{"", "lib/supabase/session", "./lib/supabase/session"},
		{"src/", "lib/session", "../lib/session"},
		{"src/", "src/lib/session", "./lib/session"},
		{"a", "a/b", "./b"},
		{"a/b", "a/b", "../b"},
	} {
		if got := importPath(test.from, test.to); got != test.want {
			t.Errorf("from %q to %q: %q, want %q", test.from, test.to, got, test.want)
		}
	}
}

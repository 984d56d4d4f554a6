package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

// all: keeps files whose names begin with "_" or ".".
//
//go:embed all:templates
var templates embed.FS

// variable is something that a builder may be told.
type variable struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Required    bool   `json:"required"`
	Default     string `json:"default,omitempty"`
	Pattern     string `json:"pattern"`
}

// builder writes files. Each output path and each template may use the variables.
type builder struct {
	ID          string            `json:"id"`
	Description string            `json:"description"`
	Variables   []variable        `json:"variables"`
	files       map[string]string // output path → template below templates/ID
}

const (
	slug       = `^[a-z][a-z0-9]*(-[a-z0-9]+)*$`
	identifier = `^[A-Za-z][A-Za-z0-9]*$`
	folder     = `^[A-Za-z0-9_@-]+(/[A-Za-z0-9_@()-]+)*$`
	route      = `^/[A-Za-z0-9/_-]*$`
	count      = `^[1-9][0-9]{0,8}$`
)

var builders = []builder{
	{
		ID:          "nextjs-api-route",
		Description: "An API route for the app router of Next.js: GET and POST with validated input, and a test.",
		Variables: []variable{
			{Name: "ROUTE_NAME", Description: "name of the route below /api", Required: true, Pattern: slug},
			{Name: "APP_DIR", Description: "the app router's folder", Default: "app", Pattern: folder},
		},
		files: map[string]string{
			"[[.APP_DIR]]/api/[[.ROUTE_NAME]]/route.ts":      "route.ts",
			"[[.APP_DIR]]/api/[[.ROUTE_NAME]]/schema.ts":     "schema.ts",
			"[[.APP_DIR]]/api/[[.ROUTE_NAME]]/route.test.ts": "route.test.ts",
		},
	},
	{
		ID:          "supabase-auth-pages",
		Description: "Sign-in and sign-up pages with Supabase for Next.js: pages, server actions, callback, sign-out.",
		Variables: []variable{
			{Name: "APP_DIR", Description: "the app router's folder", Default: "app", Pattern: folder},
			{Name: "LIB_DIR", Description: "folder of the Supabase client", Default: "lib/supabase", Pattern: folder},
			{Name: "AFTER_SIGN_IN", Description: "path to go to after signing in", Default: "/", Pattern: route},
		},
		files: map[string]string{
			"[[.LIB_DIR]]/server.ts":              "server.ts",
			"[[.APP_DIR]]/auth/actions.ts":        "actions.ts",
			"[[.APP_DIR]]/auth/login/page.tsx":    "login.tsx",
			"[[.APP_DIR]]/auth/signup/page.tsx":   "signup.tsx",
			"[[.APP_DIR]]/auth/callback/route.ts": "callback.ts",
			"[[.APP_DIR]]/auth/signout/route.ts":  "signout.ts",
		},
	},
	{
		ID:          "quota-check-lib",
		Description: "A library that checks and counts quotas, with a store in memory, a test and a SQL migration.",
		Variables: []variable{
			{Name: "LIB_DIR", Description: "folder of the library", Default: "lib/quota", Pattern: folder},
			{Name: "RESOURCE", Description: "what is counted", Default: "requests", Pattern: identifier},
			{Name: "LIMIT", Description: "how many are allowed in a window", Default: "1000", Pattern: count},
			{Name: "WINDOW_SECONDS", Description: "length of a window in seconds", Default: "3600", Pattern: count},
		},
		files: map[string]string{
			"[[.LIB_DIR]]/quota.ts":      "quota.ts",
			"[[.LIB_DIR]]/memory.ts":     "memory.ts",
			"[[.LIB_DIR]]/quota.test.ts": "quota.test.ts",
			"[[.LIB_DIR]]/migration.sql": "migration.sql",
		},
	},
}

func findBuilder(id string) (builder, error) {
	var known []string
	for _, b := range builders {
		if b.ID == id {
			return b, nil
		}
		known = append(known, b.ID)
	}
	return builder{}, fmt.Errorf("id: unknown builder %q; there are: %s", id, strings.Join(known, ", "))
}

// output is one file that a builder makes.
type output struct {
	path string
	data []byte
}

// render makes a builder's files, in the order of their paths.
func (b builder) render(given map[string]string) ([]output, error) {
	values, err := b.values(given)
	if err != nil {
		return nil, err
	}
	var out []output
	for _, pathTemplate := range slices.Sorted(maps.Keys(b.files)) {
		path, err := expand("path", pathTemplate, values)
		if err != nil {
			return nil, err
		}
		source, err := fs.ReadFile(templates, "templates/"+b.ID+"/"+b.files[pathTemplate])
		if err != nil {
			return nil, err
		}
		data, err := expand(b.files[pathTemplate], string(source), values)
		if err != nil {
			return nil, err
		}
		out = append(out, output{path: string(path), data: data})
	}
	return out, nil
}

// values checks what was given, and fills in what was not. Every problem is reported
// at once.
func (b builder) values(given map[string]string) (map[string]string, error) {
	values := map[string]string{}
	var problems []error
	var known []string
	for _, v := range b.Variables {
		known = append(known, v.Name)
		value, ok := given[v.Name]
		switch {
		case !ok && v.Required:
			problems = append(problems, fmt.Errorf("variables.%s: required: %s, matching %s", v.Name, v.Description, v.Pattern))
		case !ok:
			values[v.Name] = v.Default
		case !regexp.MustCompile(v.Pattern).MatchString(value):
			problems = append(problems, fmt.Errorf("variables.%s: %q is not allowed: must match %s", v.Name, value, v.Pattern))
		default:
			values[v.Name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, name) {
			problems = append(problems, fmt.Errorf("variables.%s: unknown; builder %s has: %s", name, b.ID, strings.Join(known, ", ")))
		}
	}
	return values, errors.Join(problems...)
}

// expand executes a template; its delimiters occur in neither TypeScript nor SQL as
// they are written here.
func expand(name, text string, values map[string]string) ([]byte, error) {
	t, err := template.New(name).Delims("[[", "]]").Option("missingkey=error").Funcs(template.FuncMap{
		"pascal": pascal, "up": depth,
	}).Parse(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, values); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// pascal makes "health-check" "HealthCheck".
func pascal(s string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(s, "-") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// depth is the way up from a file that lies extra folders below dir, to where both
// start.
func depth(dir string, extra int) string {
	return strings.Repeat("../", strings.Count(dir, "/")+1+extra)
}

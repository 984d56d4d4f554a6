package main

import (
	"fmt"
	"strings"
)

// variable is something that a builder may be told.
type variable struct {
	Name        string `json:"name"`
	Description string `json:"description" jsonschema:"what the builder uses it for"`
	Required    bool   `json:"required"`
	Default     string `json:"default,omitempty" jsonschema:"what an unset variable is"`
	Allowed     string `json:"allowed" jsonschema:"what the pattern allows, in words"`
	Pattern     string `json:"pattern" jsonschema:"regular expression that the value must match"`
}

// builder writes files. Each output path and each template may use the variables.
type builder struct {
	ID          string            `json:"id"`
	Description string            `json:"description"`
	Variables   []variable        `json:"variables"`
	files       map[string]string // output path → template below templates/ID
}

// The values of variables. Each pattern leaves out any character that could end a string
// literal, a path or a statement in the code that the value goes into.
const (
	slug       = `^[a-z][a-z0-9]*(-[a-z0-9]+)*$`
	identifier = `^[a-z][a-z0-9_]{0,39}$` // PostgreSQL cuts names at 63 bytes, prefixes included
	folder     = `^[A-Za-z0-9_@()-][A-Za-z0-9_.@()-]*(/[A-Za-z0-9_@()-][A-Za-z0-9_.@()-]*)*$`
	pagePath   = `^/?[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$` // "//host" would lead to another site
	count      = `^[1-9][0-9]{0,8}$`
	release    = `^(1[5-9]|[2-9][0-9])$`

	slugWords       = `lower-case words and digits joined by "-", e.g. health-check`
	identifierWords = `a lower-case letter, then at most 39 lower-case letters, digits and "_", e.g. api_calls`
	folderWords     = `a relative path whose parts begin with a letter, digit, "_", "-", "@" or "(", e.g. src/app`
	pagePathWords   = `a path of letters, digits, "-", "_" and "/", with or without "/" before it, e.g. login or /account/login`
	countWords      = `a whole number from 1 to 999999999`
	releaseWords    = `a major release of Next.js, 15 or newer`
)

var builders = []builder{
	{
		ID:          "nextjs-api-route",
		Description: "An API route for the app router of Next.js: GET and POST with validated input, and a test.",
		Variables: []variable{
			{Name: "ROUTE_NAME", Description: "name of the route below /api", Required: true, Allowed: slugWords, Pattern: slug},
			{Name: "APP_DIR", Description: "the app router's folder", Default: "app", Allowed: folderWords, Pattern: folder},
		},
		files: map[string]string{
			"[[.APP_DIR]]/api/[[.ROUTE_NAME]]/route.ts":      "route.ts",
			"[[.APP_DIR]]/api/[[.ROUTE_NAME]]/schema.ts":     "schema.ts",
			"[[.APP_DIR]]/api/[[.ROUTE_NAME]]/route.test.ts": "route.test.ts",
		},
	},
	{
		ID:          "supabase-auth-pages",
		Description: "Sign-in and sign-up pages and a dashboard with Supabase for Next.js: pages, server actions, callback, sign-out, and the middleware that keeps sessions fresh. It needs the packages @supabase/ssr and @supabase/supabase-js.",
		Variables: []variable{
			{Name: "APP_DIR", Description: "the app router's folder", Default: "app", Allowed: folderWords, Pattern: folder},
			{Name: "LIB_DIR", Description: "folder of the Supabase clients", Default: "lib/supabase", Allowed: folderWords, Pattern: folder},
			{Name: "LOGIN_PATH", Description: "path of the sign-in page", Default: "auth/login", Allowed: pagePathWords, Pattern: pagePath},
			{Name: "DASHBOARD_PATH", Description: "path of the page that users come to after signing in; it, with all below it, is for signed-in users only", Default: "dashboard", Allowed: pagePathWords, Pattern: pagePath},
			{Name: "NEXT_RELEASE", Description: "the Next.js release: the middleware is proxy.ts from 16 on, middleware.ts before", Default: "16", Allowed: releaseWords, Pattern: release},
		},
		files: map[string]string{
			"[[.LIB_DIR]]/settings.ts":                           "settings.ts",
			"[[.LIB_DIR]]/server.ts":                             "server.ts",
			"[[.LIB_DIR]]/session.ts":                            "session.ts",
			"[[beside .APP_DIR]][[middleware .NEXT_RELEASE]].ts": "middleware.ts",
			"[[.APP_DIR]]/auth/actions.ts":                       "actions.ts",
			"[[.APP_DIR]][[page .LOGIN_PATH]]/page.tsx":          "login.tsx",
			"[[.APP_DIR]][[page .DASHBOARD_PATH]]/page.tsx":      "dashboard.tsx",
			"[[.APP_DIR]]/auth/signup/page.tsx":                  "signup.tsx",
			"[[.APP_DIR]]/auth/callback/route.ts":                "callback.ts",
			"[[.APP_DIR]]/auth/signout/route.ts":                 "signout.ts",
			"[[.APP_DIR]]/auth/sign-out-button.tsx":              "sign-out-button.tsx",
		},
	},
	{
		ID:          "quota-check-lib",
		Description: "A library that checks and counts quotas, with a store in memory, tests and a SQL migration.",
		Variables: []variable{
			{Name: "LIB_DIR", Description: "folder of the library", Default: "lib/quota", Allowed: folderWords, Pattern: folder},
			{Name: "RESOURCE", Description: "what is counted, in the plural", Default: "requests", Allowed: identifierWords, Pattern: identifier},
			{Name: "LIMIT", Description: "how many are allowed in a window", Default: "1000", Allowed: countWords, Pattern: count},
			{Name: "WINDOW_SECONDS", Description: "length of a window in seconds", Default: "3600", Allowed: countWords, Pattern: count},
		},
		files: map[string]string{
			"[[.LIB_DIR]]/types.ts":      "types.ts",
			"[[.LIB_DIR]]/quota.ts":      "quota.ts",
			"[[.LIB_DIR]]/memory.ts":     "memory.ts",
			"[[.LIB_DIR]]/postgres.ts":   "postgres.ts",
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

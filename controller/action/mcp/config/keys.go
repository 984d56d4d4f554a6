package config

import (
	"maps"
	"slices"

	"jobwright.dev/api/strict"
)

// honoured are the keys of a server that are acted upon.
func honoured() map[string]func(*reader, node) {
	return map[string]func(*reader, node){
		"type":                (*reader).kind,
		"transport":           (*reader).transport,
		"transportType":       (*reader).kind,
		"command":             (*reader).command,
		"args":                func(r *reader, n node) { r.server.Args = append(r.server.Args, r.texts(n, r.env.path)...) },
		"env":                 func(r *reader, n node) { r.server.Env = r.values(n) },
		"environment":         func(r *reader, n node) { r.server.Env = r.values(n) }, // opencode
		"envFile":             (*reader).envFile,
		"cwd":                 func(r *reader, n node) { r.server.Cwd = r.folder(n) },
		"url":                 func(r *reader, n node) { r.url(n, "") },
		"serverUrl":           func(r *reader, n node) { r.url(n, "") },
		"httpUrl":             func(r *reader, n node) { r.url(n, TypeHTTP) },
		"headers":             (*reader).headers,
		"oauth":               (*reader).oauth,
		"auth":                (*reader).cursorAuth,
		"disabled":            func(r *reader, n node) { r.server.Disabled = r.boolean(n) || r.server.Disabled },
		"enabled":             func(r *reader, n node) { r.server.Disabled = !r.boolean(n) || r.server.Disabled },
		"isActive":            func(r *reader, n node) { r.server.Disabled = !r.boolean(n) || r.server.Disabled },
		"enabledTools":        (*reader).enabledTools,
		"includeTools":        (*reader).enabledTools,
		"allowedTools":        (*reader).enabledTools,
		"tools":               (*reader).enabledTools,
		"disabledTools":       (*reader).disabledTools,
		"excludeTools":        (*reader).disabledTools,
		"timeout":             (*reader).timeout,
		"timeoutSeconds":      (*reader).timeoutSeconds,
		"caFile":              (*reader).caFile,
		"roots":               (*reader).roots,
		"plan":                func(r *reader, n node) { r.server.Plan = r.strings(n) },
		"elicitation":         (*reader).elicitation,
		"shared":              func(r *reader, n node) { r.server.Shared = r.boolean(n) },
		"sessions":            func(r *reader, n node) { r.server.Sessions = r.integer(n, maxSessions) },
		"startTimeoutSeconds": func(r *reader, n node) { r.server.StartTimeoutSeconds = r.integer(n, maxSeconds) },
	}
}

// passedOver are the keys of other clients that mean nothing to jobs: what a person is
// shown, and which calls a person is asked about.
var passedOver = []string{
	"alwaysAllow", "author", "autoApprove", "category", "comment", "description", "dev", "disabledForWorkspaces", "displayName", "gallery",
	"homepage", "icon", "iconUrl", "instructions", "logoUrl", "metadata", "name", "note", "notes", "provider", "providerUrl", "source", "tags",
	"title", "trust", "version", "watchPaths",
}

// refused are the keys of other clients whose meaning would be lost, with what to do.
var refused = map[string]string{
	"authProviderType":     "only OAuth with client credentials or a refresh token is spoken; see oauth",
	"headersHelper":        "programs that make headers are not run; write ${NAME} in headers, or use oauth",
	"sandbox":              "servers are not run in a sandbox; name a program as command that makes one",
	"sandboxEnabled":       "servers are not run in a sandbox; name a program as command that makes one",
	"settings":             "servers that are extensions of an editor cannot be run; give a command",
	"shell":                "commands are not read by a shell; write \"command\": \"sh\", \"args\": [\"-c\", …]",
	"targetAudience":       "only OAuth with client credentials or a refresh token is spoken; see oauth",
	"targetServiceAccount": "only OAuth with client credentials or a refresh token is spoken; see oauth",
	"tcp":                  "only http and https are spoken; give a url",
}

// meant are words that are written for a key.
var meant = map[string]string{
	"environment": "env", "environmentVariables": "env", "envs": "env", "arguments": "args", "cmd": "command", "workingDirectory": "cwd",
	"uri": "url", "endpoint": "url", "baseUrl": "url", "httpHeaders": "headers", "requestTimeout": "timeout", "startupTimeout": "startTimeoutSeconds",
	"certificate": "caFile",
}

// suggestion is the key that an unknown one resembles; empty: none.
func suggestion(key string) string {
	known := slices.Concat(slices.Sorted(maps.Keys(honoured())), slices.Sorted(maps.Keys(meant)))
	like := strict.Nearest(key, known)
	if other, ok := meant[like]; ok {
		return other
	}
	return like
}

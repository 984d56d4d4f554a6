package config

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// The ways in which a server is spoken to.
const (
	TypeStdio = "stdio" // a program, over its stdin and stdout
	TypeHTTP  = "http"  // streamable HTTP
	TypeSSE   = "sse"   // HTTP with server-sent events, as of protocol 2024-11-05
)

// Server is one MCP server: a program, or a URL.
type Server struct {
	// Type is TypeStdio, TypeHTTP or TypeSSE.
	Type    string
	Command string
	Args    []string
	Env     map[string]string
	Cwd     string
	URL     string
	Headers map[string]string
	OAuth   *OAuth
	// CAFile holds in PEM the certificate authorities that an https server is checked
	// against, instead of the system's. Other MCP clients do not know this key.
	CAFile string
	// Roots are the folders that the server is told when it asks for them. Unset: none, and
	// it is told beforehand that there are none. Other MCP clients do not know this key.
	Roots []string
	// Plan names for a tool another one of this server that tells what the first would do,
	// for `jobwright plan`. It is called only if the server marks it read-only. Other MCP
	// clients do not know this key.
	Plan map[string]string
	// Elicitation is what a server is told that asks a question. Other MCP clients do not
	// know this key.
	Elicitation Elicitation
	// Shared lets all workspaces use the same sessions, for a server that keeps nothing
	// between two calls. Unset: each workspace has its own. Other MCP clients do not know
	// this key.
	Shared bool
	// Sessions is how many sessions, and so calls at once, the server has for a workspace,
	// or for all of them when it is shared. Unset: what Jobwright has for its type. Other
	// MCP clients do not know this key.
	Sessions int
	// StartTimeoutSeconds is how long the server may take to start and introduce itself.
	// Unset: Jobwright's default. Other MCP clients do not know this key.
	StartTimeoutSeconds int
	// Timeout bounds a call. Unset: only the job's own limits do.
	Timeout time.Duration
	// EnabledTools are the only ones that jobs may call; nil: all. DisabledTools are those
	// that they may not.
	EnabledTools, DisabledTools []string

	// Disabled keeps the server in the file without using it.
	Disabled bool
	// Referred are the values of the variables that the definition refers to (${NAME}) and
	// whose names tell that they hold a secret.
	Referred []string
	// Problems are why the server cannot be used.
	Problems []Problem
	// Warnings are of no consequence here, but hardly what was meant.
	Warnings []Problem
}

// Elicitation is what becomes of a server's questions.
type Elicitation string

// Questions are forms; nobody opens the addresses of others. A server that may ask does so
// where it would go on by itself otherwise, so the operator decides that it may.
const (
	// ElicitationOff: the server is told beforehand that nothing can be asked, and what it
	// asks all the same is declined. The default.
	ElicitationOff Elicitation = "off"
	// ElicitationAnswers: a question is answered with what the job has answers to, and
	// declined if a required field has none.
	ElicitationAnswers Elicitation = "answers"
	// ElicitationDefaults: fields that the job has no answer to get the defaults of the
	// question's schema.
	ElicitationDefaults Elicitation = "defaults"
)

// Asks reports whether the server may ask questions.
func (s Server) Asks() bool {
	return s.Elicitation == ElicitationAnswers || s.Elicitation == ElicitationDefaults
}

// Allows reports whether jobs may call a tool.
func (s Server) Allows(tool string) bool {
	return (s.EnabledTools == nil || slices.Contains(s.EnabledTools, tool)) && !slices.Contains(s.DisabledTools, tool)
}

// Address is the command or the URL, for messages; arguments and queries may hold secrets.
func (s Server) Address() string {
	if s.Type == TypeStdio {
		return s.Command
	}
	address, _, hidden := strings.Cut(s.URL, "?")
	if hidden {
		address += "?…"
	}
	return address
}

// Redact replaces the server's URL in a text by its Address.
func (s Server) Redact(text string) string {
	if s.URL == "" {
		return text
	}
	return strings.ReplaceAll(text, s.URL, s.Address())
}

// Environment is env as a process takes it, sorted by name.
func (s Server) Environment() []string {
	var env []string
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		env = append(env, name+"="+s.Env[name])
	}
	return env
}

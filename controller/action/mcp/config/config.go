package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jobwright.dev/store/filedb"
)

// Config is the operator's MCP servers.
type Config struct {
	Servers map[string]Server
	// Warnings are of the file itself.
	Warnings []Problem
}

// Problem is something in the file that cannot be used, or is hardly meant.
type Problem struct {
	// Field is the path of the key.
	Field string `json:"field"`
	// Line counts from 1; 0: it is of no line.
	Line int `json:"line,omitempty"`
	// Message says what is wrong, and what to do.
	Message string `json:"message"`
	// Path is the file that the problem is with, for the operator's own terminal alone: no
	// client is to see it. Empty: it is with none.
	Path string `json:"-"`
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.Field + ": " + p.Message
	}
	return fmt.Sprintf("%s (line %d): %s", p.Field, p.Line, p.Message)
}

// Load reads a file.
func Load(path string) (*Config, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	surroundings, err := here(path)
	if err != nil {
		return nil, err
	}
	parsed, err := Parse(data, surroundings)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return parsed, nil
}

// read reads a file of at most maxFile bytes.
func read(path string) ([]byte, error) {
	return filedb.ReadText(path, maxFile)
}

// here is what the references of a file are replaced by.
func here(path string) (Surroundings, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return Surroundings{}, err
	}
	folder := filepath.Dir(absolute)
	for _, editors := range []string{".vscode", ".cursor", ".windsurf", ".roo", ".gemini", ".amazonq", ".zed", ".claude", ".kiro/settings"} {
		if project, ok := strings.CutSuffix(folder, "/"+editors); ok {
			folder = project
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	return Surroundings{Lookup: os.LookupEnv, Workspace: folder, Home: home}, nil
}

// Unusable is why a server that is in the file cannot be used.
type Unusable struct {
	Server string
	Why    string
}

func (u *Unusable) Error() string {
	return fmt.Sprintf("MCP server %q is not available: %s", u.Server, u.Why)
}

// Unusable says why a server cannot be used; empty: it can.
func (s Server) Unusable() string {
	switch {
	case len(s.Problems) > 0:
		var all []string
		for _, p := range s.Problems {
			all = append(all, p.String())
		}
		return "it is not used, because of its definition in the --mcp-config file: " + strings.Join(all, "; ")
	case s.Disabled:
		return "it is disabled in the --mcp-config file"
	}
	return ""
}

// Find is the name of the server that a job means; with an empty name, the only one that
// is not disabled. The error is an Unusable for one that is in the file.
func (c *Config) Find(name string) (string, error) {
	known := slices.Sorted(maps.Keys(c.Servers))
	if name == "" {
		enabled := slices.DeleteFunc(slices.Clone(known), func(n string) bool { return c.Servers[n].Disabled })
		if len(enabled) == 1 {
			name = enabled[0]
		}
	}
	server, ok := c.Servers[name]
	switch {
	case ok && server.Unusable() != "":
		return "", &Unusable{name, server.Unusable()}
	case ok:
		return name, nil
	case len(known) == 0:
		return "", errors.New("spec.build.server: this server has no MCP servers: start it with --mcp-config FILE")
	case name == "":
		return "", fmt.Errorf("spec.build.server: Required value: there are several: %s", strings.Join(known, ", "))
	default:
		return "", fmt.Errorf("spec.build.server: Not found: %q: the --mcp-config file has: %s", name, strings.Join(known, ", "))
	}
}

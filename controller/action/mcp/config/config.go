package config

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Config is the operator's MCP servers.
type Config struct {
	Servers map[string]Server
}

// Server is one MCP server: a program that speaks over stdio, or a URL that speaks
// streamable HTTP.
type Server struct {
	// Type is "stdio", "http" or "streamable-http"; unset: stdio with a command, http
	// with a url.
	Type    string            `json:"type"`
	Command string            `json:"command"`
	Args    []string          `json:"args"`
	Env     map[string]string `json:"env"`
	Cwd     string            `json:"cwd"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	// CAFile holds in PEM the certificate authorities that an https server is checked
	// against, instead of the system's. Other MCP clients do not know this key.
	CAFile string `json:"caFile"`
	// Roots are the folders that the server is told when it asks for them. Unset: none, and
	// it is told beforehand that there are none. Other MCP clients do not know this key.
	Roots []string `json:"roots"`
	// Plan names for a tool another one of this server that tells what the first would do,
	// for `jobwright plan`. It is called only if the server marks it read-only. Other MCP
	// clients do not know this key.
	Plan map[string]string `json:"plan"`
	// Shared lets all workspaces use the same sessions, for a server that keeps nothing
	// between two calls. Unset: each workspace has its own. Other MCP clients do not know
	// this key.
	Shared bool `json:"shared"`
	// Sessions is how many sessions, and so calls at once, the server has for a workspace,
	// or for all of them when it is shared. Unset: what Jobwright has for its type. Other
	// MCP clients do not know this key.
	Sessions int `json:"sessions"`
	// StartTimeoutSeconds is how long the server may take to start and introduce itself.
	// Unset: Jobwright's default. Other MCP clients do not know this key.
	StartTimeoutSeconds int `json:"startTimeoutSeconds"`
}

const (
	// maxSessions bounds what the file may ask for; each session of a program is a process.
	maxSessions = 1000
	// maxStartSeconds is a day: a longer start is a slip in the unit.
	maxStartSeconds = 24 * 60 * 60
)

// Load reads a file {"mcpServers":{NAME:{…}}}. In env and headers, ${NAME} stands
// for a variable of Jobwright's own environment, so that secrets need not stand in the
// file. Fields that other clients know are passed over.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--mcp-config: %w", err)
	}
	var parsed struct {
		Servers map[string]Server `json:"mcpServers"`
	}
	if err := json.Unmarshal(data, &parsed); err != nil {
		return nil, fmt.Errorf("--mcp-config %s: %w", path, err)
	}
	if parsed.Servers == nil {
		return nil, fmt.Errorf("--mcp-config %s: mcpServers: Required value", path)
	}
	for _, name := range slices.Sorted(maps.Keys(parsed.Servers)) {
		server := parsed.Servers[name]
		if err := server.complete(); err != nil {
			return nil, fmt.Errorf("--mcp-config %s: mcpServers.%s.%w", path, name, err)
		}
		parsed.Servers[name] = server
	}
	return &Config{Servers: parsed.Servers}, nil
}

// complete checks a server and expands its variables.
func (s *Server) complete() error {
	if s.Type == "" {
		s.Type = "stdio"
		if s.Command == "" && s.URL != "" {
			s.Type = "http"
		}
	}
	switch s.Type {
	case "stdio":
		if s.Command == "" {
			return errors.New("command: Required value: the program of a stdio server")
		}
		if strings.Contains(s.Command, "/") {
			// Relative to where Jobwright runs, whatever cwd says.
			path, err := filepath.Abs(s.Command)
			if err != nil {
				return fmt.Errorf("command: %w", err)
			}
			s.Command = path
		}
	case "http", "streamable-http", "streamableHttp":
		u, err := url.Parse(s.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("url: Invalid value: must be an absolute http or https URL")
		}
	default:
		return fmt.Errorf("type: Unsupported value: %q: supported values: \"stdio\", \"http\", \"streamable-http\"", s.Type)
	}
	if s.Sessions < 0 || s.Sessions > maxSessions {
		return fmt.Errorf("sessions: Invalid value: %d: must be 1 to %d", s.Sessions, maxSessions)
	}
	if s.StartTimeoutSeconds < 0 || s.StartTimeoutSeconds > maxStartSeconds {
		return fmt.Errorf("startTimeoutSeconds: Invalid value: %d: must be 1 to %d", s.StartTimeoutSeconds, maxStartSeconds)
	}
	if s.CAFile != "" {
		if _, err := Authorities(s.CAFile); err != nil {
			return fmt.Errorf("caFile: %w", err)
		}
	}
	for i, root := range s.Roots {
		path, err := filepath.Abs(root)
		if err != nil {
			return fmt.Errorf("roots[%d]: %w", i, err)
		}
		s.Roots[i] = path
	}
	for field, values := range map[string]map[string]string{"env": s.Env, "headers": s.Headers} {
		for name, value := range values {
			expanded, err := expand(value)
			if err != nil {
				return fmt.Errorf("%s.%s: %w", field, name, err)
			}
			values[name] = expanded
		}
	}
	return nil
}

// reference is ${NAME}; a lone $ stands for itself.
var reference = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)

// Authorities are the certificate authorities of a file in PEM.
func Authorities(path string) (*x509.CertPool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s has no certificate in PEM", path)
	}
	return pool, nil
}

func expand(text string) (string, error) {
	var missing []string
	out := reference.ReplaceAllStringFunc(text, func(ref string) string {
		name := ref[2 : len(ref)-1]
		value, ok := os.LookupEnv(name)
		if !ok {
			missing = append(missing, name)
		}
		return value
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("the environment variable %s is not set", missing[0])
	}
	return out, nil
}

// Address is the command or the URL, for messages; arguments may hold secrets.
func (s Server) Address() string {
	if s.Type == "stdio" {
		return s.Command
	}
	return s.URL
}

// Environment is env as a process takes it, sorted by name.
func (s Server) Environment() []string {
	var env []string
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		env = append(env, name+"="+s.Env[name])
	}
	return env
}

// Find is the name of the server that a job means; with an empty name, the only one.
func (c *Config) Find(name string) (string, error) {
	known := slices.Sorted(maps.Keys(c.Servers))
	if name == "" && len(known) == 1 {
		name = known[0]
	}
	_, ok := c.Servers[name]
	switch {
	case ok:
		return name, nil
	case len(known) == 0:
		return "", fmt.Errorf("spec.build.server: this server has no MCP servers: start it with --mcp-config FILE")
	case name == "":
		return "", fmt.Errorf("spec.build.server: Required value: there are several: %s", strings.Join(known, ", "))
	default:
		return "", fmt.Errorf("spec.build.server: Not found: %q: the --mcp-config file has: %s", name, strings.Join(known, ", "))
	}
}

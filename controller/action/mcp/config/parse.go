package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"jobwright.dev/api/strict"
)

// maps of servers, by who writes them.
var serverMaps = []string{"mcpServers", "servers", "context_servers", "mcp.servers"}

// Parse reads the text of a file.
func Parse(data []byte, s Surroundings) (*Config, error) {
	d, err := parse(data)
	if err != nil {
		return nil, err
	}
	if _, ok := d.root.object(); !ok {
		return nil, fmt.Errorf(`it is %s, and must be an object: {"mcpServers": {NAME: {…}}}`, d.root.kind())
	}
	found, err := findMaps(d.root)
	if err != nil {
		return nil, err
	}
	s.inputs = inputs(d.root)
	c := &Config{Servers: map[string]Server{}}
	for _, servers := range found {
		members, ok := servers.object()
		if !ok {
			return nil, fmt.Errorf("%s (line %d): it is %s, and must be an object: {NAME: {…}}", servers.path, servers.line(), servers.kind())
		}
		for _, m := range members {
			if m.node.kind() == "null" {
				continue
			}
			c.add(m, s)
		}
	}
	if len(c.Servers) > maxServers {
		return nil, fmt.Errorf("it has %d servers, and at most %d are read", len(c.Servers), maxServers)
	}
	c.filter(d.root)
	return c, nil
}

// add reads one server.
func (c *Config) add(m member, s Surroundings) {
	if commented(m.name) {
		return
	}
	server := readServer(m.node, s)
	switch _, twice := c.Servers[m.name]; {
	case twice:
		server = c.Servers[m.name]
		server.Problems = append(server.Problems, Problem{Field: m.node.path, Line: m.line, Message: "the file has a server of this name twice"})
	case m.name == "" || len(m.name) > maxName || strings.ContainsFunc(m.name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		server.Problems = append(server.Problems, Problem{Field: m.node.path, Line: m.line, Message: fmt.Sprintf("the name must have 1 to %d characters, and no control characters", maxName)})
	}
	c.Servers[m.name] = server
}

// maxName bounds a server's name; it is a label of metrics.
const maxName = 253

// commented reports whether a key is a remark, which JSON has no other place for.
func commented(key string) bool {
	return key == "$schema" || strings.HasPrefix(key, "_") || strings.HasPrefix(key, "//") || strings.HasPrefix(key, "#") || strings.HasPrefix(key, "x-")
}

// findMaps finds the maps of servers.
func findMaps(root node) ([]node, error) {
	var found []node
	members, _ := root.object()
	for _, name := range serverMaps {
		seen := false
		for _, m := range members {
			if m.name != name {
				continue
			}
			if seen {
				return nil, fmt.Errorf("line %d: %s is there twice", m.line, name)
			}
			found, seen = append(found, m.node), true
		}
	}
	if mcp, ok := root.get("mcp"); ok {
		if n, ok := mcp.get("servers"); ok {
			found = append(found, n)
		} else if isMap(mcp) { // opencode
			found = append(found, mcp)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	if isMap(root) {
		return []node{root}, nil
	}
	for _, m := range members {
		if like := strict.Nearest(m.name, serverMaps); like != "" {
			return nil, fmt.Errorf("line %d: unknown key %q; did you mean %s?", m.line, m.name, like)
		}
	}
	return nil, errors.New(`mcpServers: Required value: there are no servers; the file must be like {"mcpServers": {NAME: {"command": …}}}`)
}

// isMap reports whether an object is a map of servers by what is in it.
func isMap(n node) bool {
	members, _ := n.object()
	return len(members) > 0 && !slices.ContainsFunc(members, func(m member) bool { return !commented(m.name) && !looksLikeServer(m.node) })
}

func looksLikeServer(n node) bool {
	return slices.ContainsFunc([]string{"command", "url", "serverUrl", "httpUrl"}, func(key string) bool { _, ok := n.get(key); return ok })
}

// inputs is what the file says of the inputs that VS Code asks for, by id.
func inputs(root node) map[string]string {
	out := map[string]string{}
	for _, of := range []string{"", "mcp"} {
		from := root
		if of != "" {
			from, _ = root.get(of)
		}
		if from.doc == nil {
			continue
		}
		list, _ := from.get("inputs")
		if list.doc == nil {
			continue
		}
		elements, _ := list.list()
		for _, element := range elements {
			id, _ := element.get("id")
			about, _ := element.get("description")
			if id.doc == nil || about.doc == nil {
				continue
			}
			name, _ := id.text()
			text, _ := about.text()
			out[name] = text
		}
	}
	return out
}

// filter disables what Gemini CLI's mcp.allowed and mcp.excluded keep out.
func (c *Config) filter(root node) {
	mcp, ok := root.get("mcp")
	if !ok {
		return
	}
	names := func(key string) (out []string, there bool) {
		list, ok := mcp.get(key)
		if !ok {
			return nil, false
		}
		elements, ok := list.list()
		for _, element := range elements {
			if name, ok := element.text(); ok {
				out = append(out, name)
			}
		}
		return out, ok
	}
	allowed, only := names("allowed")
	excluded, _ := names("excluded")
	for _, name := range slices.Sorted(maps.Keys(c.Servers)) {
		if only && !slices.Contains(allowed, name) || slices.Contains(excluded, name) {
			server := c.Servers[name]
			server.Disabled = true
			c.Servers[name] = server
		}
	}
}

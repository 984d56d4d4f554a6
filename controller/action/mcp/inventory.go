package mcp

import (
	"context"
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/sessions"
)

// introduction is what came of a server's last start.
type introduction struct {
	name, version, protocol string
	failed                  error
	there                   bool // it has been started
}

// learn remembers what came of a start.
func (p *pool) learn(s *session, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.about.there, p.about.failed = true, err
	if err != nil || s.client == nil {
		return
	}
	if said := s.client.InitializeResult(); said != nil {
		p.about.protocol = said.ProtocolVersion
		if said.ServerInfo != nil {
			p.about.name, p.about.version = said.ServerInfo.Name, said.ServerInfo.Version
		}
	}
}

// Servers tells of each server what is known, by name; it starts none.
func (r *Runner) Servers() []v1.MCPServer {
	pools := r.current()
	var servers []v1.MCPServer
	for _, name := range slices.Sorted(maps.Keys(pools)) {
		servers = append(servers, pools[name].describe())
	}
	return servers
}

// Notices are what an operator should know of servers that cannot be used as the file has
// them; the words of each stand with Servers.
func (r *Runner) Notices() []string {
	var broken []string
	for _, server := range r.Servers() {
		if server.State == v1.MCPServerBroken {
			broken = append(broken, server.Name)
		}
	}
	if len(broken) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("of the MCP servers, these cannot be used as the --mcp-config file has them: %s; jobs for the others go on (jobwright mcp servers says why)", display.Names(broken))}
}

func (p *pool) describe() v1.MCPServer {
	starting, calling, idle := p.sessions.Count()
	p.mu.Lock()
	about := p.about
	p.mu.Unlock()
	server := v1.MCPServer{
		Name: p.name, Type: p.server.Type, Shared: p.server.Shared, Starting: starting, Calling: calling, Idle: idle, MaxSessions: p.calls(),
		ServerName: about.name, ServerVersion: about.version, Protocol: about.protocol,
	}
	if about.failed != nil {
		server.Error = display.Short(about.failed.Error(), 2*display.MaxMessage)
	}
	if why := p.server.Unusable(); why != "" {
		server.Error = display.Short(why, display.MaxMessage)
	}
	switch {
	case len(p.server.Problems) > 0:
		server.State = v1.MCPServerBroken
	case p.server.Disabled:
		server.State = v1.MCPServerDisabled
	case calling+idle > 0:
		server.State = v1.MCPServerConnected
	case about.failed != nil:
		server.State = v1.MCPServerFailed
	case about.there:
		server.State = v1.MCPServerIdle
	case starting > 0:
		server.State = v1.MCPServerStarting
	default:
		server.State = v1.MCPServerUnused
	}
	return server
}

// Sessions tells of the open sessions that serve a workspace: its own, and those of shared
// servers.
func (r *Runner) Sessions(workspace string) []v1.MCPSession {
	pools := r.current()
	var out []v1.MCPSession
	for _, name := range slices.Sorted(maps.Keys(pools)) {
		p := pools[name]
		for _, s := range p.sessions.States() {
			if s.Workspace != workspace && (s.Workspace != "" || !p.server.Shared) {
				continue
			}
			told := v1.MCPSession{
				Server: name, Workspace: s.Workspace, Name: s.Name, Calls: s.Calls, StartTime: metav1.NewTime(s.Began), Since: metav1.NewTime(s.Since),
				State: map[sessions.Activity]v1.MCPSessionState{sessions.Starting: v1.MCPSessionStarting, sessions.Calling: v1.MCPSessionCalling, sessions.Idle: v1.MCPSessionIdle}[s.Activity],
			}
			if s.Session != nil && s.Session.proc != nil {
				told.PID = s.Session.proc.Pid()
			}
			out = append(out, told)
		}
	}
	return out
}

// Tools lists a server's tools, by name; it starts the server if need be.
func (r *Runner) Tools(ctx context.Context, server string) ([]v1.MCPTool, error) {
	pool, s, err := r.ask(ctx, server, "")
	if err != nil {
		return nil, err
	}
	if err := s.listTools(ctx); err != nil {
		pool.drop(s, 0)
		return nil, fmt.Errorf("MCP server %q does not list its tools: %w", server, err)
	}
	defer pool.put(s)
	return s.catalog.Describe(), nil
}

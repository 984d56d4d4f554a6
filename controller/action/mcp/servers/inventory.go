package servers

import (
	"context"
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/pool"
	"jobwright.dev/controller/action/mcp/session"
)

// introduction is the result of a server's last start.
type introduction struct {
	name, version, protocol string
	failed                  error
	there                   bool     // it has been started
	notes                   []string // what was wrong with its list of tools
}

// maxNotes bounds how many notes a server is shown with.
const maxNotes = 20

// listed remembers what was wrong with the server's list of tools.
func (srv *Server) listed(notes []string) {
	var short []string
	for i, note := range notes {
		if i == maxNotes {
			short = append(short, fmt.Sprintf("and %d more", len(notes)-maxNotes))
			break
		}
		short = append(short, display.Short(note, display.MaxMessage))
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.about.notes = short
}

// learn keeps the result of a start.
func (srv *Server) learn(s *session.Session, err error) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.about.there, srv.about.failed = true, err
	if err != nil || s == nil {
		return
	}
	if said := s.Introduction(); said != nil {
		srv.about.protocol = said.ProtocolVersion
		if said.ServerInfo != nil {
			srv.about.name, srv.about.version = said.ServerInfo.Name, said.ServerInfo.Version
		}
	}
}

// Servers describes each server, by name; no server is started.
func (set *Set) Servers() []v1.MCPServer {
	known := set.current()
	var servers []v1.MCPServer
	for _, name := range slices.Sorted(maps.Keys(known)) {
		servers = append(servers, known[name].describe())
	}
	return servers
}

// Notices name the servers that cannot be used because of their definition in the operator's
// file; Servers has the reason of each.
func (set *Set) Notices() []string {
	var broken []string
	for _, server := range set.Servers() {
		if server.State == v1.MCPServerBroken {
			broken = append(broken, server.Name)
		}
	}
	if len(broken) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("of the MCP servers, these cannot be used as the --mcp-config file has them: %s; jobs for the others go on (jobwright mcp servers says why)", display.Names(broken))}
}

func (srv *Server) describe() v1.MCPServer {
	starting, calling, idle := srv.pool.Count()
	srv.mu.Lock()
	about := srv.about
	srv.mu.Unlock()
	server := v1.MCPServer{
		Name: srv.name, Type: srv.def.Type, Shared: srv.def.Shared, Starting: starting, Calling: calling, Idle: idle, MaxSessions: srv.calls(),
		ServerName: about.name, ServerVersion: about.version, Protocol: about.protocol, Notes: about.notes,
	}
	if about.failed != nil {
		server.Error = display.Short(about.failed.Error(), 2*display.MaxMessage)
	}
	if why := srv.def.Unusable(); why != "" {
		server.Error = display.Short(why, display.MaxMessage)
	}
	switch {
	case len(srv.def.Problems) > 0:
		server.State = v1.MCPServerBroken
	case srv.def.Disabled:
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

// Sessions describes the open sessions that serve a workspace: its own, and those of shared
// servers.
func (set *Set) Sessions(workspace string) []v1.MCPSession {
	known := set.current()
	var out []v1.MCPSession
	for _, name := range slices.Sorted(maps.Keys(known)) {
		srv := known[name]
		for _, s := range srv.pool.States() {
			if s.Workspace != workspace && (s.Workspace != "" || !srv.def.Shared) {
				continue
			}
			told := v1.MCPSession{
				Server: name, Workspace: s.Workspace, Name: s.Name, Calls: s.Calls, StartTime: metav1.NewTime(s.Began), Since: metav1.NewTime(s.Since),
				State: map[pool.Activity]v1.MCPSessionState{pool.Starting: v1.MCPSessionStarting, pool.Calling: v1.MCPSessionCalling, pool.Idle: v1.MCPSessionIdle}[s.Activity],
			}
			if s.Session != nil {
				told.PID = s.Session.Pid()
			}
			out = append(out, told)
		}
	}
	return out
}

// Tools lists a server's tools, by name; the server is started if need be.
func (set *Set) Tools(ctx context.Context, server string) ([]v1.MCPTool, error) {
	srv, s, err := set.Ask(ctx, server, "")
	if err != nil {
		return nil, err
	}
	if err := s.ListTools(ctx); err != nil {
		srv.Drop(s, 0)
		return nil, fmt.Errorf("MCP server %q does not list its tools: %w", server, err)
	}
	defer srv.Put(s)
	return s.Catalog().Describe(), nil
}

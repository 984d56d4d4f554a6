package server

import (
	"context"
	"net/http"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// resourceMCPServers is what refusals call an MCP server.
const resourceMCPServers = "mcpservers"

// MCPServers are the operator's MCP servers. They are the same for every workspace, and
// what is told of them is no workspace's own, but for sessions.
type MCPServers interface {
	// Servers tells what is known of each; it starts none.
	Servers() []v1.MCPServer
	// Sessions tells of the open sessions that serve a workspace: its own and those of shared
	// servers.
	Sessions(workspace string) []v1.MCPSession
	// Tools lists one's tools, and starts it if need be.
	Tools(ctx context.Context, server string) ([]v1.MCPTool, error)
}

func (s *Server) mcpRoutes(handle func(string, http.HandlerFunc)) {
	if s.MCP == nil {
		return
	}
	handle("GET /api/mcp/servers", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, v1.MCPServerList{Items: append([]v1.MCPServer{}, s.MCP.Servers()...)})
	})
	handle("GET "+groupPath+"/namespaces/{namespace}/mcpsessions", func(w http.ResponseWriter, r *http.Request) {
		workspace := r.PathValue("namespace")
		if _, err := s.Store.Get(r.Context(), store.Key{Kind: v1.KindWorkspace, Name: workspace}); err != nil {
			s.refuse(w, err, v1.Kind{Name: v1.KindWorkspace, Resource: "workspaces"}, workspace)
			return
		}
		writeJSON(w, http.StatusOK, v1.MCPSessionList{Items: append([]v1.MCPSession{}, s.MCP.Sessions(workspace)...)})
	})
	handle("GET /api/mcp/servers/{name}/tools", func(w http.ResponseWriter, r *http.Request) {
		if err := s.mcpTools(w, r); err != nil {
			s.refuse(w, err, v1.Kind{Name: "MCPServer", Resource: resourceMCPServers}, r.PathValue("name"))
		}
	})
}

func (s *Server) mcpTools(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if !slices.ContainsFunc(s.MCP.Servers(), func(m v1.MCPServer) bool { return m.Name == name }) {
		return apierrors.NewNotFound(schema.GroupResource{Group: v1.Group, Resource: resourceMCPServers}, name)
	}
	ctx, cancel := context.WithTimeout(r.Context(), planTime)
	defer cancel()
	tools, err := s.MCP.Tools(ctx, name)
	if err != nil {
		return apierrors.NewServiceUnavailable(err.Error())
	}
	writeJSON(w, http.StatusOK, v1.MCPToolList{Items: append([]v1.MCPTool{}, tools...)})
	return nil
}

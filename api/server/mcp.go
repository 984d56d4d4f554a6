package server

import (
	"context"
	"net/http"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "jobwright.dev/api/v1"
)

// mcpServers lists the operator's MCP servers.
func (s *Server) mcpServers(w http.ResponseWriter, _ *request) error {
	servers := append([]v1.MCPServer{}, s.opts.Worker.Servers()...)
	for i := range servers {
		servers[i].Error = s.public.Text(servers[i].Error)
	}
	writeJSON(w, http.StatusOK, v1.MCPServerList{Items: servers})
	return nil
}

// mcpSessions lists the open sessions that serve a workspace.
func (s *Server) mcpSessions(w http.ResponseWriter, r *request) error {
	if _, err := s.workspaceRecord(r); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, v1.MCPSessionList{Items: append([]v1.MCPSession{}, s.opts.Worker.Sessions(r.workspace)...)})
	return nil
}

// mcpTools lists the tools of one MCP server.
func (s *Server) mcpTools(w http.ResponseWriter, r *request) error {
	if !slices.ContainsFunc(s.opts.Worker.Servers(), func(m v1.MCPServer) bool { return m.Name == r.name }) {
		return apierrors.NewNotFound(schema.GroupResource{Group: v1.Group, Resource: r.route.Kind.Resource}, r.name)
	}
	ctx, cancel := context.WithTimeout(r.Context(), planTime)
	defer cancel()
	tools, err := s.opts.Worker.Tools(ctx, r.name)
	if err != nil {
		return apierrors.NewServiceUnavailable(err.Error())
	}
	writeJSON(w, http.StatusOK, v1.MCPToolList{Items: append([]v1.MCPTool{}, tools...)})
	return nil
}

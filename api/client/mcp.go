package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	v1 "jobwright.dev/api/v1"
)

// MCPServers lists the server's MCP servers.
func (c *Client) MCPServers(ctx context.Context) ([]v1.MCPServer, error) {
	var list v1.MCPServerList
	err := c.read(ctx, &list, "api", "mcp", "servers")
	return list.Items, err
}

// MCPSessions lists the open sessions that serve a workspace.
func (c *Client) MCPSessions(ctx context.Context, workspace string) ([]v1.MCPSession, error) {
	var list v1.MCPSessionList
	err := c.read(ctx, &list, "apis", v1.Group, v1.Version, "namespaces", workspace, "mcpsessions")
	return list.Items, err
}

// MCPTools lists the tools of one MCP server, which is started if need be.
func (c *Client) MCPTools(ctx context.Context, server string) ([]v1.MCPTool, error) {
	var list v1.MCPToolList
	err := c.read(ctx, &list, "api", "mcp", "servers", server, "tools")
	return list.Items, err
}

func (c *Client) read(ctx context.Context, into any, path ...string) error {
	response, err := c.do(ctx, http.MethodGet, path, nil, nil, "")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}

// Package mcp holds the commands about MCP servers: servers, sessions, tools, check.
package mcp

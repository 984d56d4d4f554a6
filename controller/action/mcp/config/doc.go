// Package config reads the operator's MCP servers from a file in the mcpServers format
// that MCP clients share.
package config

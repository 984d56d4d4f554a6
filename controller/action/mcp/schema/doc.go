// Package schema checks the arguments and the answers of tools against the JSON Schemas
// that their MCP servers give.
package schema

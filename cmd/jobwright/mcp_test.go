package main

import (
	"context"
	"encoding/json"
	"os"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// demoMCP is an MCP server for the scripts: a tool that greets, one that tells what the
// first would say, and one that asks where to.
func demoMCP() {
	server := sdk.NewServer(&sdk.Implementation{Name: "demo", Version: "v1.2.3"}, nil)
	input := json.RawMessage(`{"type":"object","required":["name"],"properties":{"name":{"type":"string","description":"whom to greet"}},"additionalProperties":false}`)
	greet := func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		var arguments struct{ Name string }
		if err := json.Unmarshal(r.Params.Arguments, &arguments); err != nil {
			return nil, err
		}
		return &sdk.CallToolResult{StructuredContent: map[string]any{"greeting": "hello " + arguments.Name}}, nil
	}
	preview := func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return &sdk.CallToolResult{StructuredContent: map[string]any{"files": []map[string]any{{"path": "greeting.txt", "status": "created", "bytes": 9}}}}, nil
	}
	server.AddTool(&sdk.Tool{Name: "greet", Description: "Greet somebody.", InputSchema: input}, greet)
	server.AddTool(&sdk.Tool{Name: "preview", InputSchema: input, Annotations: &sdk.ToolAnnotations{ReadOnlyHint: true}}, preview)
	ask := func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if told, ok := r.Params.InputResponses["where"].(*sdk.ElicitResult); ok {
			return &sdk.CallToolResult{StructuredContent: map[string]any{"answered": told.Action, "to": told.Content["to"]}}, nil
		}
		return &sdk.CallToolResult{InputRequests: sdk.InputRequestMap{"where": &sdk.ElicitParams{Message: "Where to?", RequestedSchema: json.RawMessage(
			`{"type":"object","required":["to"],"properties":{"to":{"type":"string","enum":["test","live"]}}}`)}}}, nil
	}
	server.AddTool(&sdk.Tool{Name: "travel", InputSchema: json.RawMessage(`{"type":"object"}`)}, ask)
	if err := server.Run(context.Background(), &sdk.StdioTransport{}); err != nil {
		os.Exit(1)
	}
}

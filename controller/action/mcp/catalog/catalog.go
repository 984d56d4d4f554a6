package catalog

import (
	"fmt"
	"maps"
	"slices"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/schema"
)

// Catalog is the tools of a server. It serves one call at a time.
type Catalog struct {
	// Notes are the faults of the list.
	Notes []string

	name   string
	server config.Server
	tools  map[string]*sdk.Tool
	// support tells of each tool whether it can or must be called as a task.
	support map[string]string
	// inputs and outputs are the tools' schemas, made when first used.
	inputs, outputs map[string]*schema.Schema
}

// New returns the catalog of a server, with its definition in the operator's file, that has
// not listed its tools.
func New(name string, server config.Server) *Catalog {
	return &Catalog{
		name: name, server: server, tools: map[string]*sdk.Tool{}, support: map[string]string{},
		inputs: map[string]*schema.Schema{}, outputs: map[string]*schema.Schema{},
	}
}

// Has reports whether the server offers a tool.
func (c *Catalog) Has(tool string) bool { return c.tools[tool] != nil }

// Repeatable reports whether a tool says of itself that a second call does no harm.
func (c *Catalog) Repeatable(tool string) bool {
	t := c.tools[tool]
	return t != nil && t.Annotations != nil && (t.Annotations.IdempotentHint || t.Annotations.ReadOnlyHint)
}

// Support is whether a tool can be called as a task: "optional", "required" or another word.
func (c *Catalog) Support(tool string) string { return c.support[tool] }

// NoPreview says why a tool that the operator named as a preview is not called; empty: the
// tool may be called. Only the server can know that a tool changes nothing, so the server's
// word is wanted.
func (c *Catalog) NoPreview(tool string) string {
	offered := c.tools[tool]
	switch {
	case offered == nil:
		return fmt.Sprintf("the --mcp-config file names tool %s as its preview, which MCP server %q does not have", tool, c.name)
	case offered.Annotations == nil || !offered.Annotations.ReadOnlyHint:
		return fmt.Sprintf("the --mcp-config file names tool %s as its preview, which is not called: the server does not mark it read-only (readOnlyHint)", tool)
	}
	return ""
}

// Output is a tool's output schema; nil: the tool has none.
func (c *Catalog) Output(tool string) *schema.Schema {
	offered := c.tools[tool]
	if offered == nil || offered.OutputSchema == nil {
		return nil
	}
	if c.outputs[tool] == nil {
		c.outputs[tool] = schema.New(offered.OutputSchema)
	}
	return c.outputs[tool]
}

// input is a tool's input schema.
func (c *Catalog) input(tool string) *schema.Schema {
	if c.inputs[tool] == nil {
		c.inputs[tool] = schema.ForArguments(c.tools[tool].InputSchema)
	}
	return c.inputs[tool]
}

// Describe describes each tool, by name.
func (c *Catalog) Describe() []v1.MCPTool {
	var tools []v1.MCPTool
	for _, name := range slices.Sorted(maps.Keys(c.tools)) {
		tools = append(tools, described(c.tools[name], c.server.Plan[name]))
	}
	return tools
}

func described(tool *sdk.Tool, preview string) v1.MCPTool {
	out := v1.MCPTool{Name: tool.Name, Title: tool.Title, Description: tool.Description, Preview: preview}
	out.Destructive = true // as the specification has it, unless the server says otherwise
	if a := tool.Annotations; a != nil {
		out.ReadOnly, out.Idempotent = a.ReadOnlyHint, a.IdempotentHint
		out.Destructive = !a.ReadOnlyHint && (a.DestructiveHint == nil || *a.DestructiveHint)
	}
	out.InputSchema, out.OutputSchema = schemaJSON(tool.InputSchema), schemaJSON(tool.OutputSchema)
	return out
}

func schemaJSON(schema any) *v1.JSON {
	if schema == nil {
		return nil
	}
	encoded, err := v1.NewJSON(schema)
	if err != nil {
		return nil
	}
	return &encoded
}

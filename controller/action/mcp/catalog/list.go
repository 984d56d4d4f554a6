package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/wire"
)

const (
	// maxPages bounds how many pages a list of tools has: servers that page at all have a
	// handful.
	maxPages = 1000
	// maxListBytes bounds all pages together, as one message is bounded.
	maxListBytes = wire.MaxMessage
)

// Page is one page of a server's list of tools.
type Page struct {
	*sdk.ListToolsResult
	// Written is the page as the server wrote it, Remarks are the faults of its message.
	Written json.RawMessage
	Remarks []string
}

// List reads a server's list of tools page by page. A cursor that was there before ends the
// list, and so do the bounds: the catalog has the tools that were read until then.
func List(ctx context.Context, name string, server config.Server, get func(ctx context.Context, cursor string) (Page, error)) (*Catalog, error) {
	c := New(name, server)
	seen, size := map[string]bool{}, 0
	for cursor := ""; ; {
		page, err := get(ctx, cursor)
		if err != nil {
			return nil, err
		}
		c.add(page.Tools)
		c.addSupport(page.Written)
		c.Notes = append(c.Notes, page.Remarks...)
		seen[cursor], size = true, size+len(page.Written)
		switch next := page.NextCursor; {
		case next == "":
			return c, nil
		case seen[next]:
			c.Notes = append(c.Notes, fmt.Sprintf("after page %d it names a page that was there before (nextCursor %s); the list ends there", len(seen), display.Quoted(next)))
			return c, nil
		case len(seen) >= maxPages:
			c.Notes = append(c.Notes, fmt.Sprintf("it has more than %d pages; only so many were read", maxPages))
			return c, nil
		case size > maxListBytes:
			c.Notes = append(c.Notes, fmt.Sprintf("it has more than %d MiB; only %d pages were read", maxListBytes>>20, len(seen)))
			return c, nil
		default:
			cursor = next
		}
	}
}

// add adds the tools of a page that jobs may call. Of two with one name nobody knows which
// one the server calls, so that arguments are checked against neither schema unless both are
// the same.
func (c *Catalog) add(tools []*sdk.Tool) {
	for _, tool := range tools {
		if !c.server.Allows(tool.Name) {
			continue
		}
		first, twice := c.tools[tool.Name]
		if !twice {
			c.tools[tool.Name] = tool
			continue
		}
		if reflect.DeepEqual(first.InputSchema, tool.InputSchema) && reflect.DeepEqual(first.OutputSchema, tool.OutputSchema) {
			continue
		}
		both := *first
		both.InputSchema, both.OutputSchema = nil, nil
		c.tools[tool.Name] = &both
		c.Notes = append(c.Notes, fmt.Sprintf("it has tool %s twice, with different schemas; its arguments are left to the server to check", display.Quoted(tool.Name)))
	}
}

// addSupport reads which tools can be called as tasks, which the SDK does not.
func (c *Catalog) addSupport(page json.RawMessage) {
	var listed struct {
		Tools []json.RawMessage `json:"tools"`
	}
	if json.Unmarshal(page, &listed) != nil {
		return
	}
	for _, raw := range listed.Tools {
		var tool struct {
			Name      string `json:"name"`
			Execution struct {
				Support string `json:"taskSupport"`
			} `json:"execution"`
		}
		if json.Unmarshal(raw, &tool) == nil && tool.Execution.Support != "" {
			c.support[tool.Name] = tool.Execution.Support
		}
	}
}

package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/schema"
	"jobwright.dev/controller/action/mcp/wire"
)

const (
	// maxPages bounds how many pages a list of tools has: servers that page at all have a
	// handful.
	maxPages = 1000
	// maxListBytes bounds all pages together, as one message is bounded.
	maxListBytes = wire.MaxMessage
)

// toolList is what a server offers.
type toolList struct {
	tools map[string]*sdk.Tool
	// durable tells of each tool whether it can or must be called as a task.
	durable map[string]string
	// notes are what was wrong with the list.
	notes []string
}

// listTools asks for the server's tools. What is wrong with the list is said in the log of
// the job that waits for it; the tools that can be read are used.
func (s *session) listTools(ctx context.Context) error {
	s.mu.Lock()
	s.stale = false
	s.mu.Unlock()
	list, err := within(ctx, s, func() (*toolList, error) { return s.pages(ctx) })
	if err != nil {
		s.tools, s.inputs, s.outputs, s.durable = nil, map[string]*schema.Schema{}, map[string]*schema.Schema{}, nil
		return err
	}
	s.tools, s.inputs, s.outputs, s.durable = list.tools, map[string]*schema.Schema{}, map[string]*schema.Schema{}, list.durable
	for _, note := range list.notes {
		s.note(fmt.Sprintf("MCP server %s lists its tools otherwise than the protocol has it: %s", s.name, note))
	}
	return nil
}

// pages reads the list page by page. A cursor that was there before ends it, and so do the
// bounds: what was read until then is what the server offers.
func (s *session) pages(ctx context.Context) (*toolList, error) {
	list := &toolList{tools: map[string]*sdk.Tool{}, durable: map[string]string{}}
	seen, size := map[string]bool{}, 0
	for params := (&sdk.ListToolsParams{}); ; {
		ex := wire.NewExchange()
		page, err := s.client.ListTools(wire.With(ctx, ex), params)
		if err != nil {
			return nil, s.because(err)
		}
		list.add(page.Tools, s.server.Allows)
		list.support(ex.Result())
		list.notes = append(list.notes, ex.Remarks()...)
		seen[params.Cursor], size = true, size+len(ex.Result())
		switch next := page.NextCursor; {
		case next == "":
			return list, nil
		case seen[next]:
			list.notes = append(list.notes, fmt.Sprintf("after page %d it names a page that was there before (nextCursor %s); the list ends there", len(seen), display.Quoted(next)))
			return list, nil
		case len(seen) >= maxPages:
			list.notes = append(list.notes, fmt.Sprintf("it has more than %d pages; only so many were read", maxPages))
			return list, nil
		case size > maxListBytes:
			list.notes = append(list.notes, fmt.Sprintf("it has more than %d MiB; only %d pages were read", maxListBytes>>20, len(seen)))
			return list, nil
		default:
			params = &sdk.ListToolsParams{Cursor: next}
		}
	}
}

// add adds the tools of a page that jobs may call. Of two with one name nobody knows which one the server
// calls, so that arguments are checked against neither schema unless both are the same.
func (l *toolList) add(tools []*sdk.Tool, allowed func(string) bool) {
	for _, tool := range tools {
		if !allowed(tool.Name) {
			continue
		}
		first, twice := l.tools[tool.Name]
		if !twice {
			l.tools[tool.Name] = tool
			continue
		}
		if reflect.DeepEqual(first.InputSchema, tool.InputSchema) && reflect.DeepEqual(first.OutputSchema, tool.OutputSchema) {
			continue
		}
		both := *first
		both.InputSchema, both.OutputSchema = nil, nil
		l.tools[tool.Name] = &both
		l.notes = append(l.notes, fmt.Sprintf("it has tool %s twice, with different schemas; its arguments are left to the server to check", display.Quoted(tool.Name)))
	}
}

// support reads which tools can be called as tasks, which the SDK does not.
func (l *toolList) support(page json.RawMessage) {
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
			l.durable[tool.Name] = tool.Execution.Support
		}
	}
}

package mcp

import (
	"context"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/catalog"
	"jobwright.dev/controller/action/mcp/wire"
)

// listTools asks for the server's tools. What is wrong with the list is said in the log of
// the job that waits for it; the tools that can be read are used.
func (s *session) listTools(ctx context.Context) error {
	s.mu.Lock()
	s.stale = false
	s.mu.Unlock()
	list, err := within(ctx, s, func() (*catalog.Catalog, error) { return catalog.List(ctx, s.name, s.server, s.page) })
	if err != nil {
		s.catalog = catalog.New(s.name, s.server)
		return err
	}
	s.catalog = list
	for _, note := range list.Notes {
		s.note(fmt.Sprintf("MCP server %s lists its tools otherwise than the protocol has it: %s", s.name, note))
	}
	return nil
}

// page asks for one page of the list.
func (s *session) page(ctx context.Context, cursor string) (catalog.Page, error) {
	ex := wire.NewExchange()
	listed, err := s.client.ListTools(wire.With(ctx, ex), &sdk.ListToolsParams{Cursor: cursor})
	if err != nil {
		return catalog.Page{}, s.because(err)
	}
	return catalog.Page{ListToolsResult: listed, Written: ex.Result(), Remarks: ex.Remarks()}, nil
}

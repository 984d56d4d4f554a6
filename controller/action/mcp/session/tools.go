package session

import (
	"context"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/catalog"
	"jobwright.dev/controller/action/mcp/wire"
)

// ListTools asks for the server's tools. The log of the job that waits names the faults of
// the list; the tools that can be read are used.
func (s *Session) ListTools(ctx context.Context) error {
	s.mu.Lock()
	s.stale = false
	s.mu.Unlock()
	list, err := within(ctx, s, func() (*catalog.Catalog, error) { return catalog.List(ctx, s.opts.Name, s.opts.Server, s.page) })
	if err != nil {
		s.catalog = catalog.New(s.opts.Name, s.opts.Server)
		return err
	}
	s.catalog = list
	if s.opts.Listed != nil {
		s.opts.Listed(list.Notes)
	}
	for _, note := range list.Notes {
		s.Note(fmt.Sprintf("MCP server %s lists its tools otherwise than the protocol has it: %s", s.opts.Name, note))
	}
	return nil
}

// page asks for one page of the list.
func (s *Session) page(ctx context.Context, cursor string) (catalog.Page, error) {
	ex := wire.NewExchange()
	listed, err := s.client.ListTools(wire.With(ctx, ex), &sdk.ListToolsParams{Cursor: cursor})
	if err != nil {
		return catalog.Page{}, s.because(err)
	}
	return catalog.Page{ListToolsResult: listed, Written: ex.Result(), Remarks: ex.Remarks()}, nil
}

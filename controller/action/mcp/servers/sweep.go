package servers

import (
	"context"
	"fmt"

	"jobwright.dev/controller/action/mcp/program"
)

// Sweep removes the containers that a dead worker has left, and returns their number. The
// containers of a server whose engine does not answer now are removed before an attempt of
// the server is recovered.
func (set *Set) Sweep(ctx context.Context) (int, error) {
	removed := 0
	for _, srv := range set.current() {
		n, err := set.sweep(ctx, srv)
		if removed += n; err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// SweepOf is Sweep for the server that a job means.
func (set *Set) SweepOf(ctx context.Context, server string) error {
	if srv := set.Meant(server); srv != nil {
		_, err := set.sweep(ctx, srv)
		return err
	}
	return nil
}

// sweep removes the containers that a dead worker has left of a server, once.
func (set *Set) sweep(ctx context.Context, srv *Server) (int, error) {
	engine, _, ok := program.Engine(srv.def)
	if !ok || srv.swept.Load() {
		return 0, nil
	}
	n, err := engine.Sweep(ctx, set.opts.Owner.Worker, set.opts.Owner.Run)
	if err != nil {
		return n, fmt.Errorf("MCP server %s: %w", srv.name, err)
	}
	srv.swept.Store(true)
	return n, nil
}

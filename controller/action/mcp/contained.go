package mcp

import (
	"context"
	"fmt"

	"jobwright.dev/controller/action/mcp/program"
)

// Sweep removes the containers that a dead server has left, and returns how many there
// were. What cannot be made sure of now is made sure of before an attempt is recovered.
func (r *Runner) Sweep(ctx context.Context) (int, error) {
	removed := 0
	for _, p := range r.current() {
		n, err := r.sweep(ctx, p)
		if removed += n; err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// sweep removes the containers that a dead server has left of an MCP server, once.
func (r *Runner) sweep(ctx context.Context, p *pool) (int, error) {
	engine, _, ok := program.Engine(p.server)
	if !ok || p.swept.Load() {
		return 0, nil
	}
	n, err := engine.Sweep(ctx, r.opts.Worker, r.opts.run)
	if err != nil {
		return n, fmt.Errorf("MCP server %s: %w", p.name, err)
	}
	p.swept.Store(true)
	return n, nil
}

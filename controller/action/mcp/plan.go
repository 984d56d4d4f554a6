package mcp

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/outcome"
	"jobwright.dev/controller/action/mcp/wire"
)

const (
	// busyTime is how long a plan waits for a session while all of a server's are calling:
	// somebody waits for it.
	busyTime = 15 * time.Second
	// previewTime bounds the call of a preview.
	previewTime = time.Minute
)

// Plan tells what a job would do: the server is started, its tool and the arguments are
// checked, and the tool is not called. Where the operator has named a preview for it, that
// tool is called, but only if it is marked read-only.
func (r *Runner) Plan(ctx context.Context, job *v1.Job) (*v1.Plan, error) {
	build := job.Spec.Build
	if build == nil {
		return refuted("spec.build: Required value"), nil
	}
	name, err := r.find(build.Server)
	if err != nil {
		return refuted(err.Error()), nil
	}
	pool, s, err := r.ask(ctx, name, job.Namespace)
	if err != nil {
		return nil, err
	}
	if !s.catalog.Has(build.Action) {
		// A server may offer more tools than when the session began.
		if err := s.listTools(ctx); err != nil {
			pool.drop(s, 0)
			return nil, fmt.Errorf("MCP server %q does not list its tools: %w", name, err)
		}
	}
	arguments, notes, problems := s.catalog.Arguments(build)
	if len(problems) > 0 {
		pool.put(s)
		return refuted(problems...), nil
	}
	plan := &v1.Plan{Valid: true, Changes: []v1.PlanChange{{
		Verb: v1.PlanCall, Kind: "tool", Name: name + "/" + build.Action, Detail: display.Short("with "+display.Compact(arguments), outcome.MaxDetail),
	}}}
	for _, note := range notes {
		plan.Changes[0].Detail += "\n" + note
	}
	preview := pool.server.Plan[build.Action]
	if preview == "" {
		pool.put(s)
		return plan, nil
	}
	return r.preview(ctx, pool, s, plan, build, preview, arguments)
}

func refuted(problems ...string) *v1.Plan { return &v1.Plan{Problems: problems} }

// ask takes a session for a question that somebody of a workspace waits for.
func (r *Runner) ask(ctx context.Context, name, workspace string) (*pool, *session, error) {
	busy := fmt.Errorf("all its sessions are calling, and none was free within %s; ask again later", busyTime)
	queue, cancel := context.WithTimeoutCause(ctx, busyTime, busy)
	defer cancel()
	pool, s, err := r.takeWithin(queue, ctx, name, user{workspace: workspace})
	if err != nil {
		return nil, nil, fmt.Errorf("MCP server %q is not available: %w", name, err)
	}
	return pool, s, nil
}

// preview calls a tool that tells what another would do.
func (r *Runner) preview(ctx context.Context, pool *pool, s *session, plan *v1.Plan, build *v1.BuildAction, tool string, arguments map[string]any) (*v1.Plan, error) {
	call := &plan.Changes[0]
	if why := s.catalog.NoPreview(tool); why != "" {
		call.Detail += "\n" + why
		pool.put(s)
		return plan, nil
	}
	asked := *build
	asked.Action = tool
	if _, _, problems := s.catalog.Arguments(&asked); len(problems) > 0 {
		call.Detail += "\nits preview " + tool + " does not take these arguments: " + strings.Join(problems, "; ")
		pool.put(s)
		return plan, nil
	}
	ctx, cancel := context.WithTimeout(ctx, previewTime)
	defer cancel()
	result, err := s.converse(ctx, &sdk.CallToolParams{Name: tool, Arguments: arguments})
	if rpc, ok := wire.Refusal(err); ok && s.Alive() && ctx.Err() == nil {
		pool.put(s)
		if rpc.Code == jsonrpc.CodeInvalidParams {
			return refuted(fmt.Sprintf("spec.build: the preview %s refuses the arguments: %s", tool, rpc.Message)), nil
		}
		return nil, fmt.Errorf("MCP server %q refused the call of the preview %s: %s (JSON-RPC error %d)", s.name, tool, rpc.Message, rpc.Code)
	}
	if err != nil {
		words := s.lastWords()
		pool.drop(s, 0)
		return nil, fmt.Errorf("MCP server %q broke off the call of the preview %s: %w%s", s.name, tool, err, words)
	}
	pool.put(s)
	if result.IsError {
		return refuted("spec.build: " + outcome.Said(result, tool)), nil
	}
	changes, problems := outcome.Previewed(result)
	if len(problems) > 0 {
		return &v1.Plan{Problems: problems, Changes: append(plan.Changes, changes...)}, nil
	}
	if len(changes) == 0 {
		call.Detail += "\n" + display.Short(outcome.Said(result, tool), outcome.MaxDetail)
	}
	plan.Changes = append(plan.Changes, changes...)
	return plan, nil
}

package mcp

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/outcome"
	"jobwright.dev/controller/action/mcp/session"
	"jobwright.dev/controller/action/mcp/wire"
)

// previewTime bounds the call of a preview.
const previewTime = time.Minute

// Plan tells what a job would do: the server is started, its tool and the arguments are
// checked, and the tool is not called. Where the operator has named a preview for it, that
// tool is called, but only if it is marked read-only.
func (r *Runner) Plan(ctx context.Context, job *v1.Job) (*v1.Plan, error) {
	build := job.Spec.Build
	if build == nil {
		return refuted("spec.build: Required value"), nil
	}
	name, err := r.Find(build.Server)
	if err != nil {
		return refuted(err.Error()), nil
	}
	server, s, err := r.Ask(ctx, name, job.Namespace)
	if err != nil {
		return nil, err
	}
	p := &planning{session: s, server: name, build: build, preview: server.Definition().Plan[build.Action]}
	plan, err := p.plan(ctx)
	if p.broken {
		server.Drop(s, 0)
	} else {
		server.Put(s)
	}
	return plan, err
}

// planning is the plan of one job.
type planning struct {
	session *session.Session
	server  string // its name
	build   *v1.BuildAction
	preview string // the tool that tells what the job's would do; empty: there is none
	broken  bool   // the session is used no more
}

func (p *planning) plan(ctx context.Context) (*v1.Plan, error) {
	catalog := p.session.Catalog()
	if !catalog.Has(p.build.Action) {
		// A server may offer more tools than when the session began.
		if err := p.session.ListTools(ctx); err != nil {
			p.broken = true
			return nil, fmt.Errorf("MCP server %q does not list its tools: %w", p.server, err)
		}
		catalog = p.session.Catalog()
	}
	arguments, notes, problems := catalog.Arguments(p.build)
	if len(problems) > 0 {
		return refuted(problems...), nil
	}
	call := v1.PlanChange{
		Verb: v1.PlanCall, Kind: "tool", Name: p.server + "/" + p.build.Action, Detail: display.Short("with "+display.Compact(arguments), outcome.MaxDetail),
	}
	for _, note := range notes {
		call.Detail += "\n" + note
	}
	return p.previewed(ctx, call, arguments)
}

func refuted(problems ...string) *v1.Plan { return &v1.Plan{Problems: problems} }

// previewed is the plan of a call, with what its preview tells.
func (p *planning) previewed(ctx context.Context, call v1.PlanChange, arguments map[string]any) (*v1.Plan, error) {
	if p.preview == "" {
		return &v1.Plan{Valid: true, Changes: []v1.PlanChange{call}}, nil
	}
	if why := p.noPreview(); why != "" {
		call.Detail += "\n" + why
		return &v1.Plan{Valid: true, Changes: []v1.PlanChange{call}}, nil
	}
	reply, problem, err := p.callPreview(ctx, arguments)
	switch {
	case err != nil:
		return nil, err
	case problem != "":
		return refuted(problem), nil
	case reply.IsError:
		return refuted("spec.build: " + outcome.Said(reply, p.preview)), nil
	}
	changes, problems := outcome.Previewed(reply)
	if len(problems) > 0 {
		return &v1.Plan{Problems: problems, Changes: append([]v1.PlanChange{call}, changes...)}, nil
	}
	if len(changes) == 0 {
		call.Detail += "\n" + display.Short(outcome.Said(reply, p.preview), outcome.MaxDetail)
	}
	return &v1.Plan{Valid: true, Changes: append([]v1.PlanChange{call}, changes...)}, nil
}

// noPreview says why the preview is not called; empty: it is.
func (p *planning) noPreview() string {
	catalog := p.session.Catalog()
	if why := catalog.NoPreview(p.preview); why != "" {
		return why
	}
	asked := *p.build
	asked.Action = p.preview
	if _, _, problems := catalog.Arguments(&asked); len(problems) > 0 {
		return "its preview " + p.preview + " does not take these arguments: " + strings.Join(problems, "; ")
	}
	return ""
}

// callPreview calls the preview. A problem is one of the job's.
func (p *planning) callPreview(ctx context.Context, arguments map[string]any) (reply *answer.Reply, problem string, err error) {
	ctx, cancel := context.WithTimeout(ctx, previewTime)
	defer cancel()
	p.session.Tells(told(p.build))
	reply, err = p.session.Call(ctx, &sdk.CallToolParams{Name: p.preview, Arguments: arguments})
	if rpc, ok := wire.Refusal(err); ok && p.session.Alive() && ctx.Err() == nil {
		if rpc.Code == jsonrpc.CodeInvalidParams {
			return nil, fmt.Sprintf("spec.build: the preview %s refuses the arguments: %s", p.preview, p.session.Redact(rpc.Message)), nil
		}
		return nil, "", fmt.Errorf("MCP server %q refused the call of the preview %s: %s (JSON-RPC error %d)", p.server, p.preview, p.session.Redact(rpc.Message), rpc.Code)
	}
	if err != nil {
		p.broken = true
		return nil, "", fmt.Errorf("MCP server %q broke off the call of the preview %s: %w%s", p.server, p.preview, err, p.session.LastWords())
	}
	return reply, "", nil
}

package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp/display"
)

const (
	// busyTime is how long a plan waits for a session while all of a server's are calling:
	// somebody waits for it.
	busyTime = 15 * time.Second
	// previewTime bounds the call of a preview.
	previewTime = time.Minute
	// maxChanges bounds how many changes of a preview a plan names.
	maxChanges = 1000
	// maxDetail bounds how much of a call's arguments or of a preview's text a plan shows.
	maxDetail = 2 << 10
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
	if s.tools[build.Action] == nil {
		// A server may offer more tools than when the session began.
		if err := s.listTools(ctx); err != nil {
			pool.drop(s, 0)
			return nil, fmt.Errorf("MCP server %q does not list its tools: %w", name, err)
		}
	}
	arguments, notes, problems := s.arguments(build)
	if len(problems) > 0 {
		pool.put(s)
		return refuted(problems...), nil
	}
	plan := &v1.Plan{Valid: true, Changes: []v1.PlanChange{{
		Verb: v1.PlanCall, Kind: "tool", Name: name + "/" + build.Action, Detail: display.Short("with "+display.Compact(arguments), maxDetail),
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
	if why := s.noPreview(tool); why != "" {
		call.Detail += "\n" + why
		pool.put(s)
		return plan, nil
	}
	asked := *build
	asked.Action = tool
	if _, _, problems := s.arguments(&asked); len(problems) > 0 {
		call.Detail += "\nits preview " + tool + " does not take these arguments: " + strings.Join(problems, "; ")
		pool.put(s)
		return plan, nil
	}
	ctx, cancel := context.WithTimeout(ctx, previewTime)
	defer cancel()
	result, err := s.converse(ctx, &sdk.CallToolParams{Name: tool, Arguments: arguments})
	if rpc, ok := refusal(err); ok && s.Alive() && ctx.Err() == nil {
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
	if result.Answer.IsError {
		return refuted("spec.build: " + said(result, tool)), nil
	}
	changes, problems := previewed(result)
	if len(problems) > 0 {
		return &v1.Plan{Problems: problems, Changes: append(plan.Changes, changes...)}, nil
	}
	if len(changes) == 0 {
		call.Detail += "\n" + display.Short(said(result, tool), maxDetail)
	}
	plan.Changes = append(plan.Changes, changes...)
	return plan, nil
}

// noPreview says why a tool that the operator named as a preview is not called; empty: it
// is. Only the server can know that a tool changes nothing, so its word is wanted.
func (s *session) noPreview(tool string) string {
	offered := s.tools[tool]
	switch {
	case offered == nil:
		return fmt.Sprintf("the --mcp-config file names tool %s as its preview, which MCP server %q does not have", tool, s.name)
	case offered.Annotations == nil || !offered.Annotations.ReadOnlyHint:
		return fmt.Sprintf("the --mcp-config file names tool %s as its preview, which is not called: the server does not mark it read-only (readOnlyHint)", tool)
	}
	return ""
}

// said is what an answer says in words.
func said(result *reply, tool string) string {
	var texts []string
	for _, content := range result.Answer.Content {
		texts = append(texts, render(content))
	}
	if text := strings.TrimSpace(strings.Join(texts, "\n")); text != "" {
		return display.Short(text, display.MaxMessage)
	}
	return fmt.Sprintf("tool %s says nothing about it", tool)
}

// previewed reads the structured answer of a preview: changes in the words of v1.Plan, or
// files with what becomes of them, and problems that the tool itself would fail for.
func previewed(result *reply) (changes []v1.PlanChange, problems []string) {
	var answer struct {
		Changes []v1.PlanChange `json:"changes"`
		Files   []struct {
			Path   string `json:"path"`
			Status string `json:"status"`
			Bytes  *int64 `json:"bytes"`
		} `json:"files"`
		Problems []string `json:"problems"`
	}
	if json.Unmarshal(result.Answer.Structured, &answer) != nil {
		return nil, nil // some other shape, whose words are shown
	}
	for _, change := range answer.Changes {
		if slices.Contains(planVerbs(), change.Verb) && change.Name != "" {
			change.Detail = display.Short(change.Detail, maxDetail)
			changes = append(changes, change)
		}
	}
	for _, file := range answer.Files {
		if file.Path == "" {
			continue
		}
		change := v1.PlanChange{Verb: fileVerb(file.Status), Kind: "file", Name: file.Path, Detail: file.Status}
		if file.Bytes != nil {
			change.Detail = strings.TrimPrefix(fmt.Sprintf("%s, %d bytes", file.Status, *file.Bytes), ", ")
		}
		changes = append(changes, change)
	}
	for _, problem := range answer.Problems {
		problems = append(problems, display.Short(problem, display.MaxMessage))
	}
	return changes[:min(len(changes), maxChanges)], problems
}

func planVerbs() []v1.PlanVerb {
	return []v1.PlanVerb{v1.PlanCall, v1.PlanCreate, v1.PlanActionUpdate, v1.PlanRecreate, v1.PlanRemove, v1.PlanKeep}
}

// fileVerb is what becomes of a file, in the words that tools use for it.
func fileVerb(status string) v1.PlanVerb {
	switch strings.ToLower(status) {
	case "created", "create", "added", "new":
		return v1.PlanCreate
	case "unchanged", "kept", "skipped":
		return v1.PlanKeep
	case "removed", "deleted", "remove", "delete":
		return v1.PlanRemove
	}
	return v1.PlanActionUpdate
}

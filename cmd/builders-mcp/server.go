package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// applyInput are the arguments of preview_apply and apply_builder.
type applyInput struct {
	ID        string            `json:"id" jsonschema:"the builder, as list_builders names it"`
	Variables map[string]scalar `json:"variables,omitempty" jsonschema:"the builder's variables by name; list_builders says which there are"`
	Target    string            `json:"target,omitempty" jsonschema:"folder below the root to write into; unset: the root itself"`
	Force     bool              `json:"force,omitempty" jsonschema:"overwrite files that are there and differ"`
}

// writtenFile is one file of an answer.
type writtenFile struct {
	Path   string `json:"path" jsonschema:"relative to the root"`
	Bytes  int    `json:"bytes" jsonschema:"size of the file"`
	Status string `json:"status" jsonschema:"what becomes of the file; unchanged: it was the same already"`
	Text   string `json:"text,omitempty" jsonschema:"in a preview: what would be in the file"`
}

type applyOutput struct {
	Files []writtenFile `json:"files"`
	// Problems are shown by Jobwright as the problems of a job.
	Problems []string `json:"problems,omitempty" jsonschema:"in a preview: why apply_builder would refuse"`
}

type listOutput struct {
	Builders []builder `json:"builders"`
}

type noInput struct{}

const instructions = `Builders write code into a web application below one folder. Call list_builders for the
builders and their variables, preview_apply to see what one would write, apply_builder to write it.`

// newServer makes the server of the builders that write below root. Calls are canceled
// when ctx ends.
func newServer(ctx context.Context, root *os.Root) *mcp.Server {
	server := mcp.NewServer(
		&mcp.Implementation{Name: "builders-mcp", Title: "Jobwright's demo builders", Version: version()},
		&mcp.ServerOptions{Instructions: instructions},
	)
	server.AddReceivingMiddleware(endWith(ctx))
	input, output := applySchemas()
	closed := false // they reach nothing but the root
	mcp.AddTool(server, &mcp.Tool{
		Name: "list_builders", Title: "List builders", Description: "List the builders with their variables.",
		Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, OpenWorldHint: &closed},
	}, listBuilders)
	mcp.AddTool(server, &mcp.Tool{
		Name: "preview_apply", Title: "Preview a builder", InputSchema: input, OutputSchema: output,
		Description: "Show which files a builder would write, and their text, without writing any.",
		Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, OpenWorldHint: &closed},
	}, func(_ context.Context, _ *mcp.CallToolRequest, in applyInput) (*mcp.CallToolResult, applyOutput, error) {
		plan, err := newPlan(root, in)
		if err != nil {
			return nil, applyOutput{}, err
		}
		output := applyOutput{Files: plan.files(true)}
		if err := plan.refuseOverwrite(in.Force); err != nil {
			output.Problems = []string{err.Error()}
		}
		return says(plan.preview(in.Force)), output, nil
	})
	destructive := true // with force
	mcp.AddTool(server, &mcp.Tool{
		Name: "apply_builder", Title: "Apply a builder", InputSchema: input, OutputSchema: output,
		Description: "Write a builder's files below the root: all of them or none. Files that are there and differ are overwritten only with force.",
		Annotations: &mcp.ToolAnnotations{DestructiveHint: &destructive, IdempotentHint: true, OpenWorldHint: &closed},
	}, func(ctx context.Context, request *mcp.CallToolRequest, in applyInput) (*mcp.CallToolResult, applyOutput, error) {
		plan, err := applyBuilder(ctx, root, in, func(level mcp.LoggingLevel, text string) { tell(ctx, request, level, text) }, reporter(ctx, request))
		if errors.Is(err, errCanceled) {
			// Clients do not wait for the answer to a call that they canceled.
			tell(context.WithoutCancel(ctx), request, "notice", in.ID+": "+err.Error())
		}
		if err != nil {
			return nil, applyOutput{}, err
		}
		return says(plan.done()), applyOutput{Files: plan.files(false)}, nil
	})
	return server
}

// endWith cancels calls when ctx ends: the SDK waits for them instead.
func endWith(ctx context.Context) mcp.Middleware {
	return func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(call context.Context, method string, request mcp.Request) (mcp.Result, error) {
			call, cancel := context.WithCancel(call)
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			return next(call, method, request)
		}
	}
}

// applyBuilder makes a plan and carries it out, while no other changes anything.
func applyBuilder(
	ctx context.Context, root *os.Root, in applyInput, tell func(mcp.LoggingLevel, string), report func(done, total int, message string),
) (*plan, error) {
	unlock, err := lockRoot(ctx, root, func() { tell("info", "waiting: another builder writes below the root") })
	if err != nil {
		return nil, err
	}
	defer unlock()
	plan, err := newPlan(root, in)
	if err != nil {
		return nil, err
	}
	if err := plan.refuseOverwrite(in.Force); err != nil {
		return nil, fmt.Errorf("%w; nothing was written", err)
	}
	for _, path := range plan.with(overwritten) {
		tell("warning", "overwriting "+path)
	}
	return plan, plan.apply(ctx, root, report)
}

// applySchemas are the schemas of the tools that take a builder. They add to Go's
// types the builders, the values of variables and the changes of files.
func applySchemas() (input, output *jsonschema.Schema) {
	input, err := jsonschema.For[applyInput](&jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[scalar](): {Types: []string{"string", "number", "boolean"}},
	}})
	if err != nil {
		panic(err) // the types are fixed, so the first test finds it
	}
	for _, b := range builders {
		input.Properties["id"].Enum = append(input.Properties["id"].Enum, b.ID)
	}
	if output, err = jsonschema.For[applyOutput](nil); err != nil {
		panic(err)
	}
	output.Properties["files"].Items.Properties["status"].Enum = []any{created, unchanged, overwritten}
	return input, output
}

func listBuilders(context.Context, *mcp.CallToolRequest, noInput) (*mcp.CallToolResult, listOutput, error) {
	var text strings.Builder
	for _, b := range builders {
		fmt.Fprintf(&text, "%s: %s\n", b.ID, b.Description)
		for _, v := range b.Variables {
			what := "default " + v.Default
			if v.Required {
				what = "required"
			}
			fmt.Fprintf(&text, "  %s: %s (%s); %s\n", v.Name, v.Description, what, v.Allowed)
		}
	}
	return says(text.String()), listOutput{Builders: builders}, nil
}

func says(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: strings.TrimSpace(text)}}}
}

// tell sends a log message to a client that has asked for its level.
func tell(ctx context.Context, request *mcp.CallToolRequest, level mcp.LoggingLevel, text string) {
	// A client that is gone is noticed by the answer. Logging is deprecated in the newest
	// protocol, but clients show it all the same.
	_ = request.Session.Log(ctx, &mcp.LoggingMessageParams{Level: level, Logger: "builders", Data: text})
}

// reporter tells the client of progress, when it asked to be told.
func reporter(ctx context.Context, request *mcp.CallToolRequest) func(done, total int, message string) {
	token := request.Params.GetProgressToken()
	if token == nil {
		return func(int, int, string) {}
	}
	return func(done, total int, message string) {
		// A client that is gone is noticed by the answer.
		_ = request.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
			ProgressToken: token, Progress: float64(done), Total: float64(total), Message: message,
		})
	}
}

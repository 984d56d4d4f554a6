package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// applyInput are the arguments of preview_apply and apply_builder.
type applyInput struct {
	ID        string            `json:"id" jsonschema:"the builder, as list_builders names it"`
	Variables map[string]string `json:"variables,omitempty" jsonschema:"the builder's variables"`
	Target    string            `json:"target,omitempty" jsonschema:"folder below the root to write into; default the root itself"`
	Force     bool              `json:"force,omitempty" jsonschema:"overwrite files that are there"`
}

// writtenFile is one file of an answer.
type writtenFile struct {
	Path   string `json:"path"`
	Bytes  int    `json:"bytes"`
	Action string `json:"action" jsonschema:"create, overwrite or, where nothing would change, keep"`
}

type applyOutput struct {
	Files []writtenFile `json:"files"`
}

type listOutput struct {
	Builders []builder `json:"builders"`
}

type noInput struct{}

func newServer(root *os.Root) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "builders-mcp", Title: "Jobwright's demo builders", Version: "1.0.0"}, nil)
	harmless := false
	mcp.AddTool(server, &mcp.Tool{
		Name: "list_builders", Description: "List the builders with their variables.",
		Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true},
	}, func(context.Context, *mcp.CallToolRequest, noInput) (*mcp.CallToolResult, listOutput, error) {
		var text strings.Builder
		for _, b := range builders {
			fmt.Fprintf(&text, "%s: %s\n", b.ID, b.Description)
			for _, v := range b.Variables {
				what := "default " + v.Default
				if v.Required {
					what = "required"
				}
				fmt.Fprintf(&text, "  %s: %s (%s)\n", v.Name, v.Description, what)
			}
		}
		return says(text.String()), listOutput{Builders: builders}, nil
	})
	mcp.AddTool(server, &mcp.Tool{
		Name: "preview_apply", Description: "Show which files a builder would write, without writing any.",
		Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true},
	}, func(_ context.Context, _ *mcp.CallToolRequest, in applyInput) (*mcp.CallToolResult, applyOutput, error) {
		plan, err := newPlan(root, in)
		if err != nil {
			return nil, applyOutput{}, err
		}
		return says(plan.describe("would ")), applyOutput{Files: plan.files()}, nil
	})
	mcp.AddTool(server, &mcp.Tool{
		Name: "apply_builder", Description: "Write a builder's files below the root.",
		Annotations: &mcp.ToolAnnotations{DestructiveHint: &harmless, IdempotentHint: true},
	}, func(ctx context.Context, request *mcp.CallToolRequest, in applyInput) (*mcp.CallToolResult, applyOutput, error) {
		plan, err := newPlan(root, in)
		if err == nil {
			err = plan.refuseOverwrite(in.Force)
		}
		if err == nil {
			err = plan.apply(ctx, reporter(ctx, request))
		}
		if err != nil {
			return nil, applyOutput{}, err
		}
		return says(plan.describe("")), applyOutput{Files: plan.files()}, nil
	})
	return server
}

func says(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: strings.TrimSpace(text)}}}
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

var errCanceled = errors.New("canceled; what was written has been taken back")

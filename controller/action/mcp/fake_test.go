package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// fakeEnv makes the test program an MCP server: what the runner talks to is a real
// process behind real pipes.
const fakeEnv = "FAKE_MCP_SERVER"

func TestMain(m *testing.M) {
	mode, isRaw := strings.CutPrefix(os.Getenv(fakeEnv), "raw:")
	if isRaw {
		(&rawServer{mode: mode}).run()
		return
	}
	if version, ok := strings.CutPrefix(mode, "legacy:"); ok {
		legacyServer(version)
		return
	}
	switch mode {
	case conformanceMode:
		if err := conformanceClient(os.Args[len(os.Args)-1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "":
		os.Exit(m.Run())
	case "sleeps": // for good; without a timer, Go would call that a deadlock
		<-time.After(time.Hour)
		return
	case "says-its-token":
		fmt.Fprintln(os.Stderr, "the token", os.Getenv("MY_TOKEN"), "is no good")
		os.Exit(6)
	case "no-start":
		fmt.Fprintln(os.Stderr, "no licence found")
		os.Exit(7)
	default:
		if err := fakeServer().Run(context.Background(), &sdk.StdioTransport{}); err != nil {
			os.Exit(1)
		}
	}
}

// fakeServer has a tool for each way in which a call can go.
func fakeServer() *sdk.Server {
	server := sdk.NewServer(&sdk.Implementation{Name: "fake", Version: "1"}, nil)
	schema := json.RawMessage(`{"type":"object","properties":{"count":{"type":"integer","minimum":1}}}`)
	add := func(name string, handler sdk.ToolHandler) {
		server.AddTool(&sdk.Tool{Name: name, InputSchema: schema}, handler)
	}
	text := func(s string) *sdk.CallToolResult {
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: s}}}
	}
	progress := func(ctx context.Context, r *sdk.CallToolRequest, done, total float64, message string) {
		_ = r.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{
			ProgressToken: r.Params.GetProgressToken(), Progress: done, Total: total, Message: message,
		})
	}
	add("ok", func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		fmt.Fprintln(os.Stderr, "on stderr")
		_ = r.Session.Log(ctx, &sdk.LoggingMessageParams{Level: "warning", Data: "a warning"})
		progress(ctx, r, 1, 4, "unpack")
		progress(ctx, r, 3, 4, "")
		result := text("first line\nsecond line")
		result.StructuredContent = map[string]any{
			"files": []map[string]any{{"path": "a.ts"}}, "arguments": r.Params.Arguments,
		}
		return result, nil
	})
	add("pid", func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return text(fmt.Sprint(os.Getpid())), nil
	})
	add("no-total", func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		progress(ctx, r, 17, 0, "counting")
		return text("done"), nil
	})
	add("tool-error", func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		result := text("The disk is full.")
		result.IsError = true
		return result, nil
	})
	add("rpc-error", func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return nil, &jsonrpc.Error{Code: -32050, Message: "not today"}
	})
	add("rpc-params", func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "count is odd"}
	})
	add("dies", func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		fmt.Fprintln(os.Stderr, "segmentation fault, more or less")
		os.Exit(3)
		return nil, nil
	})
	// canceled says on stderr that the cancel arrived, which the attempt's log then has.
	add("canceled", func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		progress(ctx, r, 1, 2, "waiting")
		<-ctx.Done()
		fmt.Fprintln(os.Stderr, "cancel arrived")
		return nil, ctx.Err()
	})
	add("ignores-cancel", func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		progress(ctx, r, 1, 2, fmt.Sprint(os.Getpid()))
		select {}
	})
	return server
}

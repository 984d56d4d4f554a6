// Command builders-mcp is an MCP server with three builders that write code into a
// web application: an API route for Next.js, sign-in pages for Supabase, a library
// that checks quotas. It gives a fresh clone of Jobwright something real to run.
//
// It speaks over stdio. Its tools are list_builders, preview_apply and apply_builder;
// nothing is ever written outside of --root (os.Root), and no file is overwritten
// unless force is set: all files of a builder are checked before the first is written,
// and a failure in between takes back what was written.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const usage = `builders-mcp is an MCP server whose builders write code into a web application.

Usage:
  builders-mcp [--root DIR]

It speaks MCP over standard input and output, so it is started by an MCP client:

  {"mcpServers": {"builders": {"command": "bin/builders-mcp", "args": ["--root", "app"]}}}

Flags:
`

func main() {
	root := flag.String("root", ".", "folder below which files are written; made when it is missing")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "builders-mcp: unexpected argument %q; see --help\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *root, &mcp.StdioTransport{}); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "builders-mcp:", err)
		os.Exit(1)
	}
}

// run serves one client until it leaves.
func run(ctx context.Context, dir string, transport mcp.Transport) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return newServer(root).Run(ctx, transport)
}

// Command builders-mcp is an MCP server with three builders that write code into a
// web application: an API route for Next.js, sign-in pages for Supabase, a library
// that checks quotas. It gives a fresh clone of Jobwright something real to run.
//
// It speaks over stdio, or over streamable HTTP on loopback. Its tools are
// list_builders, preview_apply and apply_builder. Guarantees of apply_builder, also while
// others are at work:
//
//  1. Nothing outside of --root is read or written (os.Root); symbolic links below it
//     are not followed either.
//  2. A file with other content is overwritten only with force. A file that has the wanted
//     content is left alone, so an interrupted builder can be run again.
//  3. All files are written or none: a failure or a cancel takes the written files back.
//     Only a kill leaves some, each of them whole, and the next run goes on from there.
//  4. One builders-mcp of the machine at a time writes below a root.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const usage = `builders-mcp is an MCP server whose builders write code into a web application.

Usage:
  builders-mcp [--root DIR] [--http ADDR]

Without --http it speaks MCP over standard input and output, so an MCP client starts
it. For Jobwright (jobwright serve --mcp-config FILE) and others:

  {"mcpServers": {"builders": {"command": "bin/builders-mcp", "args": ["--root", "app"]}}}

With --http it serves clients that connect to it:

  builders-mcp --root app --http 127.0.0.1:8090
  {"mcpServers": {"builders": {"type": "http", "url": "http://127.0.0.1:8090/mcp"}}}

Flags:
`

// stdio is the standard input and outputs of the command.
type stdio struct {
	in       io.ReadCloser
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// run is the command; it returns the exit code.
func run(ctx context.Context, args []string, std stdio) int {
	flags := flag.NewFlagSet("builders-mcp", flag.ContinueOnError)
	flags.SetOutput(std.err)
	dir := flags.String("root", ".", "folder below which files are written; made when it is missing")
	address := flags.String("http", "", "loopback `address` to serve streamable HTTP on, at /mcp; port 0 takes a free one")
	showVersion := flags.Bool("version", false, "print the version")
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(std.err, "unexpected argument: %s\n", flags.Arg(0))
		flags.Usage()
		return 2
	case *showVersion:
		fmt.Fprintf(std.out, "builders-mcp %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return 0
	}
	if err := serve(ctx, *dir, *address, std); err != nil && ctx.Err() == nil {
		fmt.Fprintln(std.err, "builders-mcp:", err)
		return 1
	}
	return 0
}

// serve serves the client at the other end of stdio until it leaves, or with an address
// those that connect until ctx ends.
func serve(ctx context.Context, dir, address string, std stdio) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("--root: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("--root: %w", err)
	}
	defer root.Close()
	server := newServer(ctx, root)
	if address != "" {
		return serveHTTP(ctx, server, address, std.err)
	}
	return server.Run(ctx, &mcp.IOTransport{Reader: std.in, Writer: keepOpen{std.out}})
}

// keepOpen is a writer that is not the transport's to close.
type keepOpen struct{ io.Writer }

// Close implements io.Closer.
func (keepOpen) Close() error { return nil }

// version is the module's version as the Go tool recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "v0.0.0-devel"
	}
	return info.Main.Version
}

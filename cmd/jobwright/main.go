package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(execute(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: print.Safe(os.Stdout), Err: print.Safe(os.Stderr)}))
}

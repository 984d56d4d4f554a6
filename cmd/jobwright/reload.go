package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"

	"jobwright.dev/controller/action/mcp"
	mcpconfig "jobwright.dev/controller/action/mcp/config"
)

// reloadOnHangup reads the MCP servers again at every SIGHUP until ctx ends or the
// returned function is called. Without a file, the signal ends the process, as it does
// any other.
func reloadOnHangup(ctx context.Context, path string, builds *mcp.Runner, log logr.Logger) (stop func()) {
	if path == "" {
		return func() {}
	}
	hangups, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(ended)
		for {
			select {
			case <-hangups:
				reload(path, builds, log)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		signal.Stop(hangups)
		cancel()
		<-ended
	}
}

func reload(path string, builds *mcp.Runner, log logr.Logger) {
	config, err := mcpconfig.Load(path)
	if err != nil {
		log.Error(err, "the MCP servers stay as they were")
		return
	}
	log.Info("read the MCP servers again", "changed", builds.Reload(config))
}

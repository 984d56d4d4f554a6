package serve

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"

	"jobwright.dev/controller/action/mcp"
	mcpconfig "jobwright.dev/controller/action/mcp/config"
)

// reloadOnHangup reads the MCP servers again at every SIGHUP until ctx ends or the
// returned function is called. Without a file, the signal is logged and does nothing.
func reloadOnHangup(ctx context.Context, path string, mcpRunner *mcp.Runner, log logr.Logger) (stop func()) {
	hangups, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(ended)
		for {
			select {
			case <-hangups:
				reload(path, mcpRunner, log)
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

func reload(path string, mcpRunner *mcp.Runner, log logr.Logger) {
	if path == "" {
		log.Info("there is nothing to read again at SIGHUP: the server was started without --mcp-config")
		return
	}
	config, err := mcpconfig.Load(path)
	if err != nil {
		log.Error(fmt.Errorf("--mcp-config: %w", err), "the MCP servers stay as they were")
		return
	}
	log.Info("read the MCP servers again", "changed", mcpRunner.Reload(config))
}

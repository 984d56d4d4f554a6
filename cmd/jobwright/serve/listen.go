package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"

	"jobwright.dev/api/server"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/controller"
)

// listenAddress resolves --listen, which takes loopback addresses only.
func listenAddress(address string) (*net.TCPAddr, error) {
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, cli.Usagef("--listen %q: %v", address, err)
	}
	if !tcp.IP.IsLoopback() {
		return nil, cli.Usagef("--listen %q: without authentication only loopback addresses are allowed, e.g. 127.0.0.1:%d", address, tcp.Port)
	}
	return tcp, nil
}

// serveUntil serves the API and runs the controller until ctx ends. The API stays up
// during the grace period of running jobs, so that clients see how they end.
func serveUntil(ctx context.Context, listener net.Listener, api http.Handler, manager *controller.Manager, log logr.Logger) error {
	streams, endStreams := context.WithCancel(context.WithoutCancel(ctx))
	defer endStreams()
	httpServer := server.NewHTTPServer(api)
	httpServer.BaseContext = func(net.Listener) context.Context { return streams }
	logErrors(httpServer, log)

	drive, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		err := httpServer.Serve(listener)
		stop() // a server that no one can reach drives no jobs
		served <- err
	}()
	err := manager.Run(drive)
	endStreams()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if shutdownErr := httpServer.Shutdown(closing); shutdownErr != nil {
		httpServer.Close()
	}
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	log.Info("stopped")
	return err
}

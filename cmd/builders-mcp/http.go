package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// headerTime bounds how long a client may take to send a request's head.
	headerTime = 10 * time.Second
	// sessionTime is how long the session of a client is kept that asks for nothing.
	sessionTime = time.Hour
)

// serveHTTP serves streamable HTTP until ctx ends. Every client may write files below the
// root, so serveHTTP listens on loopback only, and refuses requests of web pages.
func serveHTTP(ctx context.Context, server *mcp.Server, address string, messages io.Writer) error {
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return fmt.Errorf("--http %q: %w", address, err)
	}
	if !tcp.IP.IsLoopback() {
		return fmt.Errorf("--http %q: only loopback addresses are allowed, as there is no authentication: e.g. 127.0.0.1:%d", address, tcp.Port)
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", tcp.String())
	if err != nil {
		return fmt.Errorf("--http %q: %w", address, err)
	}
	// The handler itself refuses a Host that is not this machine's.
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{SessionTimeout: sessionTime})
	mux := http.NewServeMux()
	mux.Handle("/mcp", http.NewCrossOriginProtection().Handler(handler))
	web := &http.Server{Handler: mux, ReadHeaderTimeout: headerTime}
	fmt.Fprintf(messages, "builders-mcp: serving http://%s/mcp\n", listener.Addr())

	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	select {
	case err = <-served:
	case <-ctx.Done():
		// Clients keep a stream open that does not end by itself.
		web.Close()
		err = <-served
		for session := range server.Sessions() {
			_ = session.Close() // the client is going anyway; it returns after the calls under way
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

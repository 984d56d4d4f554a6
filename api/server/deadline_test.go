package server_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"

	"jobwright.dev/api/server"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/logs"
)

// oneWorkspace is a store in which there is a workspace, and nothing else is asked for.
type oneWorkspace struct{ store.Store }

func (oneWorkspace) Get(_ context.Context, key store.Key) (store.Record, error) {
	if key.Kind != v1.KindWorkspace {
		return store.Record{}, store.ErrNotFound
	}
	text := fmt.Sprintf(`{"apiVersion":%q,"kind":"Workspace","metadata":{"name":%q,"resourceVersion":"1"}}`, v1.APIVersion, key.Name)
	return store.NewRecord(key, uuid.Nil, 1, []byte(text)), nil
}

// pipes is a listener of connections in memory, which live in the time of a bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error {
	close(p.done)
	return nil
}

func (pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// inTime serves in a bubble. say sends lines to a new connection and returns the status of
// the answer, and how long it took to come.
func inTime(t *testing.T, opts server.Options, test func(say func(lines ...string) (string, time.Duration))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opts.Store, opts.Logs, opts.Log = oneWorkspace{}, struct{ logs.Store }{}, logr.Discard()
		api, err := server.New(opts)
		if err != nil {
			t.Fatal(err)
		}
		listener := pipes{make(chan net.Conn), make(chan struct{})}
		served := server.NewHTTPServer(api)
		ended := make(chan error, 1)
		go func() { ended <- served.Serve(listener) }()
		test(func(lines ...string) (string, time.Duration) {
			t.Helper()
			client, conn := net.Pipe()
			defer client.Close()
			listener.conns <- conn
			begun := time.Now()
			go func() {
				_, _ = client.Write([]byte(strings.Join(lines, "\r\n"))) // the server may close while it writes
			}()
			status, err := bufio.NewReader(client).ReadString('\n')
			if err != nil {
				status = err.Error()
			}
			return strings.TrimSpace(status), time.Since(begun)
		})
		served.Close()
		<-ended
	})
}

// slowPlanner takes its time, unless its request ends before.
type slowPlanner struct{ server.Worker }

func (slowPlanner) Plan(ctx context.Context, _ *v1.Job) (*v1.Plan, error) {
	select {
	case <-time.After(90 * time.Second):
		return &v1.Plan{Valid: true}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestWhatComesTooSlowlyIsGivenUp(t *testing.T) {
	const host = "Host: 127.0.0.1"
	inTime(t, server.Options{}, func(say func(...string) (string, time.Duration)) {
		for name, tc := range map[string]struct {
			lines  []string
			status string
			after  time.Duration
		}{
			"a body that the handler reads":   {[]string{"POST /api/jobs HTTP/1.1", host, "Cookie: active_workspace=acme", "Content-Length: 100", "", `{"type"`}, "HTTP/1.1 408 Request Timeout", 30 * time.Second},
			"a body in chunks":                {[]string{"POST /api/jobs HTTP/1.1", host, "Cookie: active_workspace=acme", "Transfer-Encoding: chunked", "", "1", "{", ""}, "HTTP/1.1 408 Request Timeout", 30 * time.Second},
			"a body before an idempotent job": {[]string{"POST /api/jobs HTTP/1.1", host, "Cookie: active_workspace=acme", "Idempotency-Key: k", "Content-Length: 100", "", "{"}, "HTTP/1.1 408 Request Timeout", 30 * time.Second},
			"headers":                         {[]string{"GET /livez HTTP/1.1", host}, "EOF", 10 * time.Second},
			"a connection without a request":  {nil, "EOF", 10 * time.Second},
		} {
			if status, after := say(tc.lines...); status != tc.status || after != tc.after {
				t.Errorf("%s: %q after %v, want %q after %v", name, status, after, tc.status, tc.after)
			}
		}
	})
}

// TestTheDeadlineOfABodyEndsWithIt: what follows a body may take longer.
func TestTheDeadlineOfABodyEndsWithIt(t *testing.T) {
	inTime(t, server.Options{Worker: slowPlanner{}}, func(say func(...string) (string, time.Duration)) {
		body := jobManifest("a", `{"type":"api_call"}`)
		status, after := say("POST "+planPath+" HTTP/1.1", "Host: 127.0.0.1", fmt.Sprint("Content-Length: ", len(body)), "", body)
		if status != "HTTP/1.1 200 OK" || after != 90*time.Second {
			t.Errorf("%q after %v", status, after)
		}
	})
}

func TestABodyThatBreaksOffIsTheClientsFault(t *testing.T) {
	inTime(t, server.Options{}, func(say func(...string) (string, time.Duration)) {
		if status, _ := say("POST /api/jobs HTTP/1.1", "Host: 127.0.0.1", "Cookie: active_workspace=acme", "Transfer-Encoding: chunked", "", "nonsense", ""); status != "HTTP/1.1 400 "+http.StatusText(http.StatusBadRequest) {
			t.Errorf("a chunk without a length: %q", status)
		}
	})
}

package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
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

// saying sends lines to a new connection and returns the status of the answer, and how long
// it took to come.
type saying func(lines ...string) (string, time.Duration)

// inTime has a test talk to a server in a bubble.
func inTime(t *testing.T, opts server.Options, test func(say saying)) {
	t.Helper()
	connected(t, opts, func(dial func() net.Conn) {
		test(func(lines ...string) (string, time.Duration) {
			client := dial()
			defer client.Close()
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
	})
}

// connected has a test connect to a server in a bubble.
func connected(t *testing.T, opts server.Options, test func(dial func() net.Conn)) {
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
		test(func() net.Conn {
			client, conn := net.Pipe()
			listener.conns <- conn
			return client
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
	inTime(t, server.Options{}, func(say saying) {
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
	inTime(t, server.Options{Worker: slowPlanner{}}, func(say saying) {
		body := jobManifest("a", `{"type":"api_call"}`)
		status, after := say("POST "+planPath+" HTTP/1.1", "Host: 127.0.0.1", fmt.Sprint("Content-Length: ", len(body)), "", body)
		if status != "HTTP/1.1 200 OK" || after != 90*time.Second {
			t.Errorf("%q after %v", status, after)
		}
	})
}

func TestABodyThatBreaksOffIsTheClientsFault(t *testing.T) {
	inTime(t, server.Options{}, func(say saying) {
		if status, _ := say("POST /api/jobs HTTP/1.1", "Host: 127.0.0.1", "Cookie: active_workspace=acme", "Transfer-Encoding: chunked", "", "nonsense", ""); status != "HTTP/1.1 400 "+http.StatusText(http.StatusBadRequest) {
			t.Errorf("a chunk without a length: %q", status)
		}
	})
}

// TestAnAnswerLastsAsLongAsItsClientReads: what a slow client reads in parts, however long it
// takes, is whole; a client that stops reading is given up.
func TestAnAnswerLastsAsLongAsItsClientReads(t *testing.T) {
	const size = 4 << 20
	var ends chan error // of the bubble
	big := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(10 * time.Minute) // an idle stream
		w.Header().Set("Content-Length", fmt.Sprint(size))
		_, err := w.Write(make([]byte, size))
		ends <- err
	})
	ask := func(t *testing.T, client net.Conn) {
		t.Helper()
		if _, err := client.Write([]byte("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("read slowly", func(t *testing.T) {
		connected(t, server.Options{Metrics: big}, func(dial func() net.Conn) {
			ends = make(chan error, 1)
			client := dial()
			defer client.Close()
			ask(t, client)
			read, part := 0, make([]byte, 64<<10)
			for read < size {
				n, err := client.Read(part)
				if err != nil {
					t.Fatalf("after %d bytes: %v", read, err)
				}
				read += n
				time.Sleep(5 * time.Second)
			}
			if err := <-ends; err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("not read", func(t *testing.T) {
		connected(t, server.Options{Metrics: big}, func(dial func() net.Conn) {
			ends = make(chan error, 1)
			client := dial()
			defer client.Close()
			begun := time.Now()
			ask(t, client)
			if err, after := <-ends, time.Since(begun); !errors.Is(err, os.ErrDeadlineExceeded) || after != 11*time.Minute {
				t.Errorf("%v after %v", err, after)
			}
		})
	})
}

// TestAnIdleStreamEndsInOrder: its end is read long after its last line.
func TestAnIdleStreamEndsInOrder(t *testing.T) {
	idle := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("line\n"))
		_ = http.NewResponseController(w).Flush()
		time.Sleep(10 * time.Minute)
	})
	connected(t, server.Options{Metrics: idle}, func(dial func() net.Conn) {
		client := dial()
		defer client.Close()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = r.Write(client) }()
		response, err := http.ReadResponse(bufio.NewReader(client), r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if body, err := io.ReadAll(response.Body); err != nil || string(body) != "line\n" {
			t.Errorf("%q, %v", body, err)
		}
	})
}

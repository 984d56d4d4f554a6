package main

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// held is a server process with a call that waits, as the test holds the root's lock.
type held struct {
	*session
	dir    string
	cancel context.CancelFunc // the call
	called chan error         // what came of it
	said   chan any           // what the server logs
	unlock func()
}

func hold(t *testing.T, transport string) *held {
	t.Helper()
	h := &held{dir: t.TempDir(), called: make(chan error, 1)}
	var err error
	if h.unlock, err = lockRoot(t.Context(), openRoot(t, h.dir), func() {}); err != nil {
		t.Fatal(err)
	}
	h.said = make(chan any, 4)
	h.session = connect(t, transport, h.dir, &mcp.ClientOptions{
		LoggingMessageHandler: func(_ context.Context, r *mcp.LoggingMessageRequest) { h.said <- r.Params.Data },
	})
	// Protocols up to 2025 set the level once, later ones with each call.
	_ = h.SetLoggingLevel(t.Context(), &mcp.SetLoggingLevelParams{Level: "info"})
	ctx, cancel := context.WithCancel(t.Context())
	h.cancel = cancel
	go func() {
		_, err := h.CallTool(ctx, &mcp.CallToolParams{
			Meta: mcp.Meta{"io.modelcontextprotocol/logLevel": "info"}, Name: "apply_builder", Arguments: arguments{"id": "quota-check-lib"},
		})
		h.called <- err
	}()
	select {
	case said := <-h.said:
		if said != "waiting: another builder writes below the root" {
			t.Errorf("the server says %v", said)
		}
	case err := <-h.called:
		t.Fatalf("the call did not wait: %v", err)
	}
	return h
}

// TestStopWhileCalled ends the server during a call: it does not wait for the call, and
// writes nothing.
func TestStopWhileCalled(t *testing.T) {
	forEachTransport(t, func(t *testing.T, transport string) {
		h := hold(t, transport)
		h.stop(t)
		<-h.called
		h.unlock()
		if got := tree(t, h.dir); len(got) != 0 {
			t.Errorf("%v was written", got)
		}
	})
}

// TestLeaveWhileCalled has the client gone during a call, which ends as it would have.
func TestLeaveWhileCalled(t *testing.T) {
	h := hold(t, overStdio)
	h.in.Close()
	h.unlock()
	<-h.called
	if err := h.ended(); err != nil {
		t.Error(err)
	}
	if got := tree(t, h.dir); len(got) != 0 && len(got) != 6 {
		t.Errorf("a part was written: %v", got)
	}
}

// TestCancel cancels a call that waits. The client hears from the log what became of it,
// as a canceled call has no answer.
func TestCancel(t *testing.T) {
	h := hold(t, overStdio)
	h.cancel()
	if err := <-h.called; !errors.Is(err, context.Canceled) {
		t.Errorf("the call: %v", err)
	}
	if said := <-h.said; said != "quota-check-lib: canceled; nothing was changed" {
		t.Errorf("the server says %v", said)
	}
	h.unlock()
	if _, text, failed := h.call(t, "apply_builder", arguments{"id": "supabase-auth-pages"}); failed {
		t.Error(text)
	}
	if got := tree(t, h.dir); len(got) != 11 {
		t.Errorf("%d files are there: %v", len(got), got)
	}
}

// TestSignal ends a server whose client asks for nothing. The signal has to meet a server
// that handles it: one that has answered.
func TestSignal(t *testing.T) {
	forEachTransport(t, func(t *testing.T, transport string) {
		connect(t, transport, t.TempDir(), nil).stop(t)
	})
}

// stop sends the server SIGTERM and wants it to end well.
func (s *session) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = s.Wait() // a client whose server left may call that an error
	if err := s.ended(); err != nil {
		t.Errorf("a server that was told to stop: %v", err)
	}
}

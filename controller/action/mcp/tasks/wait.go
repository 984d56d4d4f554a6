package tasks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/session"
	"jobwright.dev/controller/action/mcp/wire"
)

// Waiter waits for the end of a task.
type Waiter struct {
	Session *session.Session
	Server  string // the name of the server
	Task    Task   // as the server last told it
	Sink    action.Sink
}

// Wait asks for the task's state until it has ended.
func (w *Waiter) Wait(ctx context.Context) (*answer.Reply, error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	said := ""
	for {
		if w.Task.Message != "" && w.Task.Message != said {
			said = w.Task.Message
			w.Sink.Progress(-1, said)
			w.Sink.Line(action.Server, said)
		}
		switch {
		case w.Task.Status == canceled:
			return nil, ErrCanceled
		case w.Task.terminal():
			return w.result(ctx)
		case w.Task.Status == input:
			// The server puts its question where the result is waited for, and the client
			// answers it by its policy.
			return w.result(ctx)
		}
		timer.Reset(w.Task.poll())
		select {
		case <-timer.C:
		case <-w.Session.TaskChanged():
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		now, err := patiently(ctx, w, func() (Task, error) { return Get(ctx, w.Session, w.Task.ID) })
		if err != nil {
			return nil, err
		}
		w.Task = now
	}
}

func (w *Waiter) result(ctx context.Context) (*answer.Reply, error) {
	return patiently(ctx, w, func() (*answer.Reply, error) { return Result(ctx, w.Session, w.Task.ID) })
}

// patiently asks a server again that cannot be reached, for as long as patience lasts.
func patiently[T any](ctx context.Context, w *Waiter, ask func() (T, error)) (T, error) {
	value, err := ask()
	if !w.unreachable(ctx, err) {
		return value, err
	}
	w.Sink.Line(action.System, fmt.Sprintf("MCP server %s cannot be reached, and is asked again for up to %s: %v", w.Server, patience, err))
	first, until, pause := err, time.Now().Add(patience), w.Task.poll()
	for time.Now().Before(until) {
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return value, ctx.Err()
		}
		if value, err = ask(); err == nil || ctx.Err() != nil {
			return value, err
		}
		if !w.unreachable(ctx, err) {
			break
		}
		pause = min(2*pause, mostPoll)
	}
	if errors.Is(err, sdk.ErrConnectionClosed) {
		err = first // it has the reason
	}
	return value, err
}

// unreachable reports whether a request did not come through, over a session that is
// sound otherwise.
func (w *Waiter) unreachable(ctx context.Context, err error) bool {
	_, refused := wire.Refusal(err)
	if f, ok := errors.AsType[*wire.Failure](err); ok && (f.Answered || f.Session || f.Status >= 400 && f.Status < 500 && f.Status != http.StatusTooManyRequests) {
		return false
	}
	return err != nil && ctx.Err() == nil && !w.Session.Local() && w.Session.Alive() && !refused && !errors.Is(err, session.ErrAnswer)
}

// ErrCanceled is why a task has no result that nobody here has canceled.
var ErrCanceled = errors.New("the server canceled the task")

// Unknown reports whether a server says that it has no such task.
func Unknown(err error) bool {
	rpc, ok := wire.Refusal(err)
	return ok && (rpc.Code == jsonrpc.CodeInvalidParams || rpc.Code == -32002)
}

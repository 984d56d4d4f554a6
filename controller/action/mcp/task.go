package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/wire"
)

// Tasks are calls that outlive their request: the server hands out an id at once, and is
// asked for the state and the result. This is the protocol of 2025-11-25
// (modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks). The extension
// of 2026-07-28 has another wire format; its servers make no tasks for a client that does
// not declare it, and answer such calls when they are done.
const taskProtocol = legacyProtocol

// ownCall is tools/call with the fields that the SDK drops; the server gets its real name.
const ownCall = wire.OwnPrefix + "tools/call"

const (
	// taskTime is how long a server is asked to keep a task, its result included.
	taskTime = 24 * time.Hour
	// pollTime is how often a server is asked that names no interval; leastPoll and
	// mostPoll bound what one names. Servers that tell of a change are asked then.
	pollTime  = time.Second
	leastPoll = 50 * time.Millisecond
	mostPoll  = 30 * time.Second
	// patience is how long a server may be out of reach whose task is waited for: a task
	// is there when its server is back.
	patience = 5 * time.Minute
)

// The states of a task.
const (
	taskInput     = "input_required"
	taskCompleted = "completed"
	taskFailed    = "failed"
	taskCanceled  = "cancelled"
)

// task is a task's state as the server tells it.
type task struct {
	ID       string  `json:"taskId"`
	Status   string  `json:"status"`
	Message  string  `json:"statusMessage"`
	Interval float64 `json:"pollInterval"` // milliseconds
}

// poll is how long to wait before the server is asked again.
func (t task) poll() time.Duration {
	if t.Interval <= 0 {
		return pollTime
	}
	return min(max(time.Duration(t.Interval*float64(time.Millisecond)), leastPoll), mostPoll)
}

func (t task) terminal() bool {
	return t.Status == taskCompleted || t.Status == taskFailed || t.Status == taskCanceled
}

// What is sent and received by hand.
type (
	taskCall struct {
		sdk.ParamsBase
		Name      string         `json:"name"`
		Arguments map[string]any `json:"arguments"`
		Task      taskWish       `json:"task"`
	}
	taskWish struct {
		TTL int64 `json:"ttl"` // milliseconds
	}
	taskParams struct {
		sdk.ParamsBase
		ID string `json:"taskId"`
	}
	rawResult struct {
		sdk.ResultBase
		raw json.RawMessage
	}
)

// UnmarshalJSON implements json.Unmarshaler.
func (r *rawResult) UnmarshalJSON(data []byte) error {
	r.raw = append(r.raw[:0], data...)
	return nil
}

// ownMethods has a client send what the SDK does not know.
func ownMethods(c *sdk.Client) error {
	err := sdk.AddSendingCustomMethod[*taskCall, *rawResult](c, ownCall)
	for _, method := range []string{"tasks/get", "tasks/result", "tasks/cancel"} {
		if err == nil {
			err = sdk.AddSendingCustomMethod[*taskParams, *rawResult](c, method)
		}
	}
	return err
}

// asTask reports whether a tool is called as a task: where it must be, and over HTTP,
// where a task outlives this worker, also where it can be.
func (s *session) asTask(tool string) bool {
	known := s.client.InitializeResult()
	s.mu.Lock()
	offered := s.tasks
	s.mu.Unlock()
	if !offered || known == nil || known.ProtocolVersion != taskProtocol {
		return false
	}
	switch s.catalog.Support(tool) {
	case "required":
		return true
	case "optional":
		return s.proc == nil
	}
	return false
}

// ask sends a method by hand and reads what of the answer is of interest.
func ask[P interface {
	*T
	sdk.Params
}, T any](ctx context.Context, s *session, method string, params P, answer any) error {
	ex := wire.NewExchange()
	result, err := within(ctx, s, func() (*rawResult, error) {
		return sdk.CallCustomMethod[P, *rawResult](wire.With(ctx, ex), s.client, method, params)
	})
	if err != nil {
		return reason(ex, err)
	}
	if err := json.Unmarshal(result.raw, answer); err != nil {
		return fmt.Errorf("%w: %w", errAnswer, err)
	}
	return nil
}

// errAnswer is why an answer that came is of no use.
var errAnswer = errors.New("the answer cannot be read")

// createTask calls a tool as a task. A server may answer with the result at once.
func (s *session) createTask(ctx context.Context, tool, token string, arguments map[string]any) (task, *answer.Reply, error) {
	params := &taskCall{Name: tool, Arguments: arguments, Task: taskWish{TTL: taskTime.Milliseconds()}}
	params.SetMeta(map[string]any{"progressToken": token})
	var raw json.RawMessage
	if err := ask(ctx, s, ownCall, params, &raw); err != nil {
		return task{}, nil, err
	}
	var created struct {
		Task *task `json:"task"`
	}
	if err := json.Unmarshal(raw, &created); err != nil {
		return task{}, nil, fmt.Errorf("%w: %w", errAnswer, err)
	}
	if created.Task == nil {
		return task{}, &answer.Reply{Answer: answer.Read(raw)}, nil
	}
	if created.Task.ID == "" {
		return task{}, nil, fmt.Errorf("the task has no id")
	}
	return *created.Task, nil, nil
}

func (s *session) getTask(ctx context.Context, id string) (task, error) {
	var t task
	err := ask(ctx, s, "tasks/get", &taskParams{ID: id}, &t)
	return t, err
}

// taskResult waits for a task's end and returns what the tool answered.
func (s *session) taskResult(ctx context.Context, id string) (*answer.Reply, error) {
	var raw json.RawMessage
	if err := ask(ctx, s, "tasks/result", &taskParams{ID: id}, &raw); err != nil {
		return nil, err
	}
	return &answer.Reply{Answer: answer.Read(raw)}, nil
}

// cancelTask reports whether the server says that a task has ended by our wish.
func (s *session) cancelTask(ctx context.Context, id string) (bool, error) {
	var t task
	err := ask(ctx, s, "tasks/cancel", &taskParams{ID: id}, &t)
	return t.Status == taskCanceled, err
}

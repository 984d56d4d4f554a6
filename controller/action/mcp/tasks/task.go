package tasks

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/session"
	"jobwright.dev/controller/action/mcp/wire"
)

// protocol is the version whose tasks are spoken.
const protocol = session.LegacyProtocol

// ownCall is tools/call with the fields that the SDK drops; the server gets its real name.
const ownCall = wire.OwnPrefix + "tools/call"

const (
	// Keep is how long a server is asked to keep a task, its result included.
	Keep = 24 * time.Hour
	// pollTime is the interval for a server that names none; leastPoll and mostPoll bound an
	// interval that a server names.
	pollTime  = time.Second
	leastPoll = 50 * time.Millisecond
	mostPoll  = 30 * time.Second
	// patience is how long the server of a task may be out of reach: the task is there when
	// the server is back.
	patience = 5 * time.Minute
)

// The states of a task.
const (
	input     = "input_required"
	completed = "completed"
	failed    = "failed"
	canceled  = "cancelled"
)

// Task is the state of a task, as the server tells it.
type Task struct {
	ID       string  `json:"taskId"`
	Status   string  `json:"status"`
	Message  string  `json:"statusMessage"`
	Interval float64 `json:"pollInterval"` // milliseconds
}

// poll is how long to wait before the server is asked again.
func (t Task) poll() time.Duration {
	if t.Interval <= 0 {
		return pollTime
	}
	return min(max(time.Duration(t.Interval*float64(time.Millisecond)), leastPoll), mostPoll)
}

func (t Task) terminal() bool {
	return t.Status == completed || t.Status == failed || t.Status == canceled
}

// The parameters of the methods that the SDK does not know.
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
)

// Extend has a client send the methods of tasks.
func Extend(c *sdk.Client) error {
	err := session.AddMethod[*taskCall](c, ownCall)
	for _, method := range []string{"tasks/get", "tasks/result", "tasks/cancel"} {
		if err == nil {
			err = session.AddMethod[*taskParams](c, method)
		}
	}
	return err
}

// Apply reports whether a tool is called as a task: where it must be, and over HTTP, where
// a task outlives this worker, also where it can be.
func Apply(s *session.Session, tool string) bool {
	known := s.Introduction()
	if !s.OffersTasks() || known == nil || known.ProtocolVersion != protocol {
		return false
	}
	switch s.Catalog().Support(tool) {
	case "required":
		return true
	case "optional":
		return !s.Local()
	}
	return false
}

// Create calls a tool as a task. A server may answer with the result at once.
func Create(ctx context.Context, s *session.Session, tool, token string, arguments map[string]any) (Task, *answer.Reply, error) {
	params := &taskCall{Name: tool, Arguments: arguments, Task: taskWish{TTL: Keep.Milliseconds()}}
	params.SetMeta(map[string]any{"progressToken": token})
	var raw json.RawMessage
	if err := session.Ask(ctx, s, ownCall, params, &raw); err != nil {
		return Task{}, nil, err
	}
	var created struct {
		Task *Task `json:"task"`
	}
	if err := json.Unmarshal(raw, &created); err != nil {
		return Task{}, nil, fmt.Errorf("%w: %w", session.ErrAnswer, err)
	}
	if created.Task == nil {
		return Task{}, read(s, raw), nil
	}
	if created.Task.ID == "" {
		return Task{}, nil, fmt.Errorf("the task has no id")
	}
	created.Task.Message = s.Redact(created.Task.Message)
	return *created.Task, nil, nil
}

// Get asks for the state of a task.
func Get(ctx context.Context, s *session.Session, id string) (Task, error) {
	var t Task
	err := session.Ask(ctx, s, "tasks/get", &taskParams{ID: id}, &t)
	t.Message = s.Redact(t.Message)
	return t, err
}

// Result waits for the end of a task and returns the tool's answer.
func Result(ctx context.Context, s *session.Session, id string) (*answer.Reply, error) {
	var raw json.RawMessage
	if err := session.Ask(ctx, s, "tasks/result", &taskParams{ID: id}, &raw); err != nil {
		return nil, err
	}
	return read(s, raw), nil
}

// read reads the answer of a tool, without the operator's secrets.
func read(s *session.Session, raw json.RawMessage) *answer.Reply {
	reply := &answer.Reply{Answer: answer.Read(raw)}
	s.Hide(reply)
	return reply
}

// Cancel reports whether the server says that a task has ended by our wish.
func Cancel(ctx context.Context, s *session.Session, id string) (bool, error) {
	var t Task
	err := session.Ask(ctx, s, "tasks/cancel", &taskParams{ID: id}, &t)
	return t.Status == canceled, err
}

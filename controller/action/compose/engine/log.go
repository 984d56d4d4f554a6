package engine

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"jobwright.dev/controller/action/process"
)

const (
	// logLines is how many of a container's last lines are read.
	logLines = 20
	// maxLogLine is how much of one line is kept, in bytes.
	maxLogLine = 500
	// stampSize is the length of the time before each line; the engine writes it with
	// all nine digits of its fraction, so that the texts sort by time.
	stampSize = len("2006-01-02T15:04:05.000000000Z")
)

// LogTail are the last lines that a container wrote, without blank ones.
func (p *Project) LogTail(ctx context.Context, id string) ([]string, error) {
	var (
		mu    sync.Mutex
		lines []string
	)
	add := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if len(lines) < 2*logLines {
			lines = append(lines, Clip(line, stampSize+maxLogLine))
		}
	}
	args := []string{"logs", "--timestamps", fmt.Sprintf("--tail=%d", logLines), "--", id}
	err := p.Docker.Stream(ctx, process.Spec{Args: args, Dir: "/", Attempt: p.Attempt}, add, func(r io.Reader) error { return process.Lines(r, add) })
	if err != nil {
		return nil, err
	}
	// Its two streams come apart; the times bring them together again.
	slices.SortStableFunc(lines, func(a, b string) int {
		return strings.Compare(a[:min(stampSize, len(a))], b[:min(stampSize, len(b))])
	})
	var out []string
	for _, line := range lines[max(0, len(lines)-logLines):] {
		if _, text, _ := strings.Cut(line, " "); strings.TrimSpace(text) != "" {
			out = append(out, text)
		}
	}
	return out, nil
}

// LastOutput is when, by the engine's clock, a container last wrote a line; zero: it has not.
func (p *Project) LastOutput(ctx context.Context, id string) (time.Time, error) {
	var last time.Time
	stamp := func(line string) {
		text, _, _ := strings.Cut(line, " ")
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil && at.After(last) {
			last = at
		}
	}
	var mu sync.Mutex
	locked := func(line string) { mu.Lock(); defer mu.Unlock(); stamp(line) }
	args := []string{"logs", "--timestamps", "--tail=1", "--", id}
	err := p.Docker.Stream(ctx, process.Spec{Args: args, Dir: "/", Attempt: p.Attempt}, locked, func(r io.Reader) error { return process.Lines(r, locked) })
	return last, err
}

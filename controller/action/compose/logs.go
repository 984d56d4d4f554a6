package compose

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"jobwright.dev/controller/action/process"
)

const (
	// maxLogLine is how much of one line of a container's log a message repeats.
	maxLogLine = 500
	// stampSize is the length of the time before each line; the engine writes it with
	// all nine digits of its fraction, so that the texts sort by time.
	stampSize = len("2006-01-02T15:04:05.000000000Z")
)

// log is the end of what a container wrote, as the end of a message.
func (d *deploy) log(ctx context.Context, id string) string {
	if id == "" {
		return ""
	}
	var (
		mu    sync.Mutex
		lines []string
	)
	add := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if len(lines) < 2*tailLines {
			lines = append(lines, clip(line, stampSize+maxLogLine))
		}
	}
	args := []string{"logs", "--timestamps", fmt.Sprintf("--tail=%d", tailLines), "--", id}
	err := d.r.overhear(ctx, process.Spec{Path: d.r.docker, Args: args, Dir: "/", Worker: d.r.worker, Attempt: d.a.ID}, add, func(r io.Reader) error { return process.Lines(r, add) })
	if err != nil {
		return "Its log could not be read: " + err.Error() + "."
	}
	// Its two streams come apart; the times bring them together again.
	slices.SortStableFunc(lines, func(a, b string) int {
		return strings.Compare(a[:min(stampSize, len(a))], b[:min(stampSize, len(b))])
	})
	var out []string
	for _, line := range lines[max(0, len(lines)-tailLines):] {
		if _, text, _ := strings.Cut(line, " "); strings.TrimSpace(text) != "" {
			out = append(out, text)
		}
	}
	if len(out) == 0 {
		return "It has logged nothing."
	}
	return "The end of its log:\n" + strings.Join(out, "\n")
}

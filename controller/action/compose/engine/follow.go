package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/process"
)

// tailLines is how many of compose's last lines a failure's message repeats.
const tailLines = 20

// Follow passes the output of a docker compose that was started with --progress=json on to
// out until its end, and returns its last lines. It calls progress for each event, with how
// far compose is in percent and at what, and for each line of plain text with a nil event.
func (d Docker) Follow(ctx context.Context, p *process.Process, verb string, out action.Sink, progress func(e *Event, pct int, step string)) string {
	p.Stdin.Close()
	tail := process.Tail{N: tailLines}
	hide := d.redactor(ctx)
	var readers sync.WaitGroup
	readers.Go(func() {
		defer p.Stdout.Close()
		_ = process.Lines(hide.Reader(p.Stdout), func(line string) { // ends with the process
			line = lastDrawn(line)
			if e, ok := ParseEvent(line); ok && e.Error {
				line = e.String()
			}
			out.Line(action.Stdout, line)
			progress(nil, -1, "")
		})
	})
	track := newTracker(verb)
	err := process.Lines(hide.Reader(p.Stderr), func(line string) {
		line = lastDrawn(line)
		e, ok := ParseEvent(line)
		if !ok {
			tail.Add(line)
			out.Line(action.Stderr, line)
			progress(nil, -1, "")
			return
		}
		pct, step, news := track.add(e)
		progress(&e, pct, step)
		if text := e.String(); news && text != "" {
			tail.Add(text)
			out.Line(action.Stderr, text)
		}
	})
	if err != nil {
		out.Line(action.System, "the output of docker compose broke off: "+err.Error())
	}
	p.Stderr.Close()
	readers.Wait()
	return tail.String()
}

// lastDrawn is what a terminal shows of a line that was drawn several times, each after a
// carriage return.
func lastDrawn(line string) string {
	line = strings.TrimRight(line, "\r")
	return line[strings.LastIndexByte(line, '\r')+1:]
}

// tracker adds events up to a progress.
type tracker struct {
	verb string
	done map[string]bool // by what compose names; true when it is done
	last map[string]string
}

func newTracker(verb string) *tracker {
	return &tracker{verb: verb, done: map[string]bool{}, last: map[string]string{}}
}

// add takes in an event and returns the progress after it, and whether a person has not
// been told of it yet: byte counts of a pull repeat by the hundred.
func (t *tracker) add(e Event) (pct int, step string, news bool) {
	if e.ID == "" {
		return -1, "", true
	}
	if e.ParentID == "" { // layers of an image count with their image
		t.done[e.ID] = e.Status == "Done"
	}
	done := 0
	for _, ok := range t.done {
		if ok {
			done++
		}
	}
	news = e.ParentID == "" && t.last[e.ID] != e.Text+e.Details
	t.last[e.ID] = e.Text + e.Details
	// At most 95 %: the wait for health and the end come after the last event.
	return done * 95 / max(len(t.done), 1), "compose:" + t.verb + " " + strings.TrimSpace(e.ID), news
}

// Ended says how a docker compose has ended.
func Ended(name string, code int) string {
	if code < 0 {
		return name + " was killed by a signal that did not come from Jobwright."
	}
	return fmt.Sprintf("%s ended with exit code %d.", name, code)
}

// LastWords are the last lines of a docker compose as the end of a message.
func LastWords(tail string) string {
	if tail == "" {
		return ""
	}
	return " Its last words:\n" + tail
}

package compose

import (
	"context"
	"time"

	"jobwright.dev/controller/action/process"
)

const (
	// lookAgain is when containers are looked at although the engine has told of no
	// change: an event may be lost with its connection.
	lookAgain = 10 * time.Second
	// engineTime is how long the engine may not answer before the deploy fails: a
	// restart of the engine that leaves containers running takes seconds.
	engineTime = 10 * time.Second
	// enginePause lies between two questions to an engine that does not answer.
	enginePause = time.Second
)

// wakers are the engine's events after which a container may be judged otherwise. Those
// of each run of a health check are not among them.
var wakers = []string{"start", "die", "health_status", "oom", "destroy", "pause", "unpause", "rename"}

// watch sends on the returned channel when something has happened to a container of the
// project since the given time of the engine; several events may be one wake-up. The
// function ends it and waits for its end.
func (e *lookout) watch(ctx context.Context, since time.Time) (<-chan struct{}, func()) {
	ctx, cancel := context.WithCancel(ctx)
	wake := make(chan struct{}, 1)
	ring := func() {
		select {
		case wake <- struct{}{}:
		default: // it has not been heard yet
		}
	}
	args := []string{
		"events", "--filter=type=container", "--filter=label=" + projectLabel + "=" + e.project, "--format={{.Action}}",
		"--since=" + since.UTC().Format(time.RFC3339Nano),
	}
	for _, event := range wakers {
		args = append(args, "--filter=event="+event)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			e.listen(ctx, args, ring)
			ring() // that it has ended may mean that the engine has
			pause := time.NewTimer(enginePause)
			select {
			case <-pause.C:
			case <-ctx.Done():
			}
			pause.Stop()
		}
	}()
	return wake, func() { cancel(); <-done }
}

// listen calls ring for each event until the connection ends.
func (e *lookout) listen(ctx context.Context, args []string, ring func()) {
	p, err := process.Start(process.Spec{Path: e.r.docker, Args: args, Dir: "/", Worker: e.r.worker, Attempt: beside(e.a.ID)})
	if err != nil {
		return // whoever looks finds out the same
	}
	stop := context.AfterFunc(ctx, func() { _ = p.Kill(context.WithoutCancel(ctx)) })
	defer stop()
	p.Stdin.Close()
	go func() {
		defer p.Stderr.Close()
		_ = process.Lines(p.Stderr, func(string) {})
	}()
	_ = process.Lines(p.Stdout, func(string) { ring() })
	p.Stdout.Close()
	p.Wait()
}

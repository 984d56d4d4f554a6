package engine

import (
	"context"
	"time"

	"jobwright.dev/controller/action/process"
)

// RetryPause lies between two questions to an engine that does not answer.
const RetryPause = time.Second

// watched are the events after which a container may be judged otherwise. Those of each run
// of a health check are not among them.
var watched = []string{"start", "die", "health_status", "oom", "destroy", "pause", "unpause", "rename"}

// Watch sends on the returned channel when something has happened to a container of the
// project since the given time of the engine; several events may be one signal. The
// returned function ends the watch and waits for its end.
func (p *Project) Watch(ctx context.Context, since time.Time) (<-chan struct{}, func()) {
	ctx, cancel := context.WithCancel(ctx)
	changed := make(chan struct{}, 1)
	signal := func() {
		select {
		case changed <- struct{}{}:
		default: // the one before was not received yet
		}
	}
	args := []string{
		"events", "--filter=type=container", "--filter=label=" + projectLabel + "=" + p.Name, "--format={{.Action}}",
		"--since=" + since.UTC().Format(time.RFC3339Nano),
	}
	for _, event := range watched {
		args = append(args, "--filter=event="+event)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			p.listen(ctx, args, signal)
			signal() // the end of the stream may be the end of the engine
			pause := time.NewTimer(RetryPause)
			select {
			case <-pause.C:
			case <-ctx.Done():
			}
			pause.Stop()
		}
	}()
	return changed, func() { cancel(); <-done }
}

// listen calls signal for each event until the connection ends.
func (p *Project) listen(ctx context.Context, args []string, signal func()) {
	run, err := process.Start(process.Spec{Path: p.Docker.Program, Args: args, Dir: "/", Worker: p.Docker.Worker, Attempt: sideProcess(p.Attempt)})
	if err != nil {
		return // the next list of containers meets the same error
	}
	stop := context.AfterFunc(ctx, func() { _ = run.Kill(context.WithoutCancel(ctx)) })
	defer stop()
	run.Stdin.Close()
	go func() {
		defer run.Stderr.Close()
		_ = process.Lines(run.Stderr, func(string) {})
	}()
	_ = process.Lines(run.Stdout, func(string) { signal() })
	run.Stdout.Close()
	run.Wait()
}

package engine

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"

	"jobwright.dev/controller/action/process"
	"jobwright.dev/controller/action/secrets"
)

// maxAnswer bounds how much of one answer of docker is read, in bytes: some 10 KiB for each
// container, of which nobody deploys a thousand in one project.
const maxAnswer = 64 << 20

// Docker runs the docker program beside an attempt's docker compose.
type Docker struct {
	// Program is the path of docker. Required.
	Program string
	// Worker is the identity that the processes carry. Required.
	Worker string
	// Redactor returns what hides the server's secrets outside of an attempt, which has one
	// of its own (Hiding); nil: there are none.
	Redactor func() *secrets.Redactor
}

// RefusedError is the end of a docker program with another exit code than 0.
type RefusedError struct {
	// Code is the exit code; negative after a signal.
	Code int
	// Said is the last of its stderr.
	Said string
}

// Error has the program's own words.
func (e *RefusedError) Error() string {
	if e.Code < 0 {
		return "docker was ended by a signal"
	}
	return fmt.Sprintf("docker ended with exit code %d: %s", e.Code, e.Said)
}

// Stream runs spec, passes each line of its stderr to stderr and its stdout to read. It
// returns a *RefusedError when the program ended with another exit code than 0, and read's
// error otherwise. The program ends with ctx.
func (d Docker) Stream(ctx context.Context, spec process.Spec, stderr func(line string), read func(io.Reader) error) error {
	spec.Worker, spec.Attempt = d.Worker, sideProcess(spec.Attempt)
	if spec.Path == "" {
		spec.Path = d.Program
	}
	p, err := process.Start(spec)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = p.Kill(context.WithoutCancel(ctx)) })
	defer stop()
	p.Stdin.Close()
	last := make(chan string, 1)
	go func() { last <- d.lastWords(ctx, p, stderr) }()
	err = read(p.Stdout)
	_, _ = io.Copy(io.Discard, p.Stdout)
	p.Stdout.Close()
	said := <-last
	code := p.Wait()
	switch {
	case code != 0 && ctx.Err() != nil:
		return fmt.Errorf("docker was stopped: %w", context.Cause(ctx))
	case code != 0: // that it had nothing to read follows from it
		return &RefusedError{Code: code, Said: said}
	}
	return err
}

// lastWords passes on the program's stderr until its end and returns its last lines.
func (d Docker) lastWords(ctx context.Context, p *process.Process, stderr func(string)) string {
	defer p.Stderr.Close()
	tail, last := process.Tail{N: 3}, ""
	_ = process.Lines(d.redactor(ctx).Reader(p.Stderr), func(line string) { // ends with the process
		stderr(line)
		if e, ok := ParseEvent(line); ok {
			line = e.String()
		}
		if line != last { // compose writes its errors as progress and as text
			tail.Add(line)
		}
		last = line
	})
	return tail.String()
}

// hiding is the key of an attempt's Redactor in its context.
type hiding struct{}

// Hiding is ctx for a job whose secrets, and whose own words, hide knows.
func Hiding(ctx context.Context, hide *secrets.Redactor) context.Context {
	return context.WithValue(ctx, hiding{}, hide)
}

// redactor hides the secrets in what docker says.
func (d Docker) redactor(ctx context.Context) *secrets.Redactor {
	if hide, ok := ctx.Value(hiding{}).(*secrets.Redactor); ok {
		return hide
	}
	if d.Redactor == nil {
		return nil
	}
	return d.Redactor()
}

// Output runs spec for its stdout. Errors are those of Stream.
func (d Docker) Output(ctx context.Context, spec process.Spec, read func(io.Reader) error) error {
	return d.Stream(ctx, spec, func(string) {}, read)
}

// Ask runs docker with args, outside of any project's folder, for its stdout.
func (d Docker) Ask(ctx context.Context, attempt string, read func(io.Reader) error, args ...string) error {
	return d.Output(ctx, process.Spec{Args: args, Dir: "/", Attempt: attempt}, func(r io.Reader) error {
		return read(io.LimitReader(r, maxAnswer))
	})
}

// Do runs docker with args for what it does.
func (d Docker) Do(ctx context.Context, attempt string, args ...string) error {
	return d.Ask(ctx, attempt, Discard, args...)
}

// Lines are the lines, without blank ones, that docker prints.
func (d Docker) Lines(ctx context.Context, attempt string, args ...string) ([]string, error) {
	var out []string
	err := d.Ask(ctx, attempt, ReadLines(&out), args...)
	return out, err
}

// Reachable reports whether the engine answers.
func (d Docker) Reachable(ctx context.Context, attempt string) error {
	return d.Do(ctx, attempt, "version", "--format={{.Server.Version}}")
}

// Discard reads an answer that says nothing beyond the exit code.
func Discard(stdout io.Reader) error {
	_, err := io.Copy(io.Discard, stdout)
	return err
}

// ReadLines reads lines that are not blank into to.
func ReadLines(to *[]string) func(io.Reader) error {
	return func(stdout io.Reader) error {
		scanner := bufio.NewScanner(io.LimitReader(stdout, maxAnswer))
		for scanner.Scan() {
			if line := strings.TrimSpace(scanner.Text()); line != "" {
				*to = append(*to, line)
			}
		}
		return scanner.Err()
	}
}

// sideProcess names a process that runs beside an attempt's docker compose, so that Reap of
// the attempt alone does not find it.
func sideProcess(attempt string) string { return attempt + "+" + rand.Text() }

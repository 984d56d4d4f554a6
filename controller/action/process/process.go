package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The environment variables that carry a process's identity.
const (
	WorkerEnv  = "JOBWRIGHT_WORKER"
	attemptEnv = "JOBWRIGHT_ATTEMPT"
)

// passed are the variables of the server's own environment that programs get: what
// they need to find other programs, their configuration and the docker engine. The
// server's secrets (JOBWRIGHT_…) stay with the server.
var passed = []string{
	"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME",
	"DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
}

// Spec says what to run.
type Spec struct {
	// Path is the program: a path, or a name to look for in PATH.
	Path string
	Args []string
	Dir  string
	// Env is added to the environment, as NAME=VALUE.
	Env []string
	// Worker is the identity of the worker; required. Attempt is that of the attempt;
	// empty for a program that serves several.
	Worker  string
	Attempt string
	// Dies: the program is killed when this one is, where the kernel can do it (Linux).
	Dies bool
}

// Process is a program that runs. Stdin, Stdout and Stderr are its pipes; whoever
// starts it reads both outputs to their end.
type Process struct {
	Stdin          io.WriteCloser
	Stdout, Stderr io.ReadCloser

	cmd  *exec.Cmd
	spec Spec
	done chan struct{}
	err  error

	born   uint64 // when it was started, in ticks of the kernel; 0: not known
	noting sync.Mutex
	family []relative // what it has started, as far as it was noted
}

// Start starts the program.
func Start(spec Spec) (*Process, error) {
	if spec.Worker == "" {
		return nil, errors.New("start a process: no worker identity")
	}
	// Not CommandContext: that kills the program alone, and Stop ends the whole group.
	cmd := exec.Command(spec.Path, spec.Args...) //nolint:noctx // see above
	cmd.Dir = spec.Dir
	cmd.Env = environment(spec)
	cmd.SysProcAttr = attributes(spec)
	p := &Process{cmd: cmd, spec: spec, done: make(chan struct{})}
	pipes, err := openPipes()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Path, err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = pipes.stdin, pipes.stdout, pipes.stderr
	p.born, err = started(func() (int, error) {
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		return cmd.Process.Pid, nil
	})
	pipes.closeTheirs()
	if err != nil {
		pipes.closeOurs()
		return nil, fmt.Errorf("start %s: %w", spec.Path, err)
	}
	p.Stdin, p.Stdout, p.Stderr = pipes.in, pipes.out, pipes.errs
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
		ended(cmd.Process.Pid, p.born)
	}()
	return p, nil
}

// pipes connect a process with this one. They are not cmd's own: Wait would close these
// before everything is read.
type pipes struct {
	stdin, stdout, stderr *os.File // the ends of the process
	in, out, errs         *os.File // the ends of this side
}

func openPipes() (p *pipes, err error) {
	p = new(pipes)
	if p.stdin, p.in, err = os.Pipe(); err == nil {
		p.out, p.stdout, err = os.Pipe()
	}
	if err == nil {
		p.errs, p.stderr, err = os.Pipe()
	}
	if err != nil {
		p.closeTheirs()
		p.closeOurs()
		return nil, err
	}
	return p, nil
}

// closeTheirs closes the ends of the process, which has its own copies once it is started.
// A nil *os.File takes Close.
func (p *pipes) closeTheirs() {
	for _, f := range []*os.File{p.stdin, p.stdout, p.stderr} {
		f.Close()
	}
}

func (p *pipes) closeOurs() {
	for _, f := range []*os.File{p.in, p.out, p.errs} {
		f.Close()
	}
}

func environment(spec Spec) []string {
	var env []string
	for _, name := range passed {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	env = append(env, slices.DeleteFunc(slices.Clone(spec.Env), func(s string) bool {
		return strings.HasPrefix(s, WorkerEnv+"=") || strings.HasPrefix(s, attemptEnv+"=")
	})...)
	env = append(env, WorkerEnv+"="+spec.Worker)
	if spec.Attempt != "" {
		env = append(env, attemptEnv+"="+spec.Attempt)
	}
	return env
}

// Pid is the process's number, which is also that of its group.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the program's end and returns its exit code; −1 after a signal.
func (p *Process) Wait() int {
	<-p.done
	return p.cmd.ProcessState.ExitCode()
}

// Ended says how the program ended, e.g. "exit status 1".
func (p *Process) Ended() string {
	<-p.done
	return p.cmd.ProcessState.String()
}

// Stop ends the program and everything it has started, and returns when nothing of
// it is left: SIGTERM to the group, up to grace, SIGKILL. It is no error when the
// program has ended already.
func (p *Process) Stop(ctx context.Context, grace time.Duration) error {
	p.Note()
	p.signal(syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
	case <-ctx.Done():
	}
	return p.Kill(ctx)
}

// Kill is Stop without asking.
func (p *Process) Kill(ctx context.Context) error {
	p.Note()
	p.signal(syscall.SIGKILL)
	<-p.done
	if p.spec.Attempt == "" {
		return nil // others share the worker's identity
	}
	_, err := Reap(context.WithoutCancel(ctx), p.spec.Worker, p.spec.Attempt)
	return errors.Join(err, p.endKin(context.WithoutCancel(ctx)))
}

func (p *Process) signal(sig syscall.Signal) {
	// The group may be gone, or outlive its leader; both are fine.
	_ = syscall.Kill(-p.Pid(), sig)
}

package interruptions

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// namespace is a network of its own, in which a thread carries out what do gets. An engine
// in the host's network would change the host's bridge and packet filter.
type namespace chan func()

// newNamespace returns a network of its own with its loopback device up.
func newNamespace(t *testing.T) namespace {
	t.Helper()
	n, ready := make(namespace), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = loopbackUp()
		}
		ready <- err
		for do := range n {
			do()
		}
	}()
	t.Cleanup(func() { close(n) })
	if err := <-ready; err != nil {
		t.Fatalf("make a network for an engine: %v", err)
	}
	return n
}

func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	device, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	device.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, device)
}

// do carries out f within the network.
func (n namespace) do(f func() error) error {
	done := make(chan error)
	n <- func() { done <- f() }
	return <-done
}

// own starts an engine of the cell's own, with folders and a network of its own.
func own(t *testing.T) *engine {
	t.Helper()
	shared(t)
	if os.Getuid() != 0 || exec.Command("dockerd", "--version").Run() != nil {
		lacking(t, "root and dockerd, to restart an engine")
	}
	dir, err := os.MkdirTemp("", "jwd-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	network := newNamespace(t)
	e := &engine{t: t, socket: filepath.Join(dir, "sock")}
	e.listen = func(kind, address string) (l net.Listener, err error) {
		err = network.do(func() error { l, err = net.Listen(kind, address); return err })
		return l, err
	}
	var cmd *exec.Cmd
	start := func() {
		cmd = exec.Command("dockerd", "--host=unix://"+e.socket, "--data-root="+filepath.Join(dir, "data"), "--exec-root="+filepath.Join(dir, "exec"), "--pidfile="+filepath.Join(dir, "pid"))
		var log bytes.Buffer
		cmd.Stdout, cmd.Stderr = &log, &log
		if err := network.do(cmd.Start); err != nil {
			t.Fatal(err)
		}
		if err := e.answers(); err != nil {
			stop(cmd)
			t.Fatalf("the engine of this test does not answer:\n%s", log.String())
		}
	}
	start()
	t.Cleanup(func() { stop(cmd) })
	e.restart = func(between func()) {
		stop(cmd)
		between()
		start()
	}
	return e
}

// answers waits until the engine answers.
func (e *engine) answers() error {
	ctx, cancel := context.WithTimeout(e.t.Context(), time.Minute)
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for e.command(ctx, "version").Run() != nil {
		select {
		case <-look.C:
		case <-ctx.Done():
			return errors.New("it does not answer")
		}
	}
	return nil
}

func stop(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	_ = cmd.Wait()                          // as asked
}

package process_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/process"
)

// TestMain plays the programs that the tests start.
func TestMain(m *testing.M) {
	switch os.Getenv("PLAY") {
	case "":
		os.Exit(m.Run())
	case "environment":
		for _, v := range os.Environ() {
			fmt.Println(v)
		}
		os.Exit(7)
	case "stubborn": // ignores SIGTERM
		signal.Ignore(syscall.SIGTERM)
		fallthrough
	case "sleeper":
		fmt.Println("ready")
		select {}
	case "adopter":
		adopt()
	case "mortal": // starts a program that dies with it
		if _, err := process.Start(process.Spec{Path: "sleep", Args: []string{"300"}, Worker: os.Getenv("MARK"), Dies: true}); err != nil {
			panic(err)
		}
		fmt.Println("ready")
		select {}
	case "parent": // has a child that leaves the group
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "PLAY=stubborn")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			panic(err)
		}
		select {}
	}
}

func start(t *testing.T, play, attempt string) *process.Process {
	t.Helper()
	p, err := process.Start(process.Spec{Path: os.Args[0], Env: []string{"PLAY=" + play, "MARK=mortal-" + worker(t)}, Worker: worker(t), Attempt: attempt})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func worker(t *testing.T) string { return fmt.Sprintf("%s-%d", t.Name(), os.Getpid()) }

func ready(t *testing.T, p *process.Process) {
	t.Helper()
	if line, err := bufio.NewReader(p.Stdout).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the program said %q, %v", line, err)
	}
}

func TestAProgramGetsItsIdentityAndNoSecrets(t *testing.T) {
	t.Setenv("JOBWRIGHT_TOKEN", "secret")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	p := start(t, "environment", "a-1")
	out, err := io.ReadAll(p.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	if code := p.Wait(); code != 7 {
		t.Errorf("exit code %d, want 7", code)
	}
	for _, want := range []string{"JOBWRIGHT_WORKER=" + worker(t), "JOBWRIGHT_ATTEMPT=a-1", "PATH=" + os.Getenv("PATH")} {
		if !strings.Contains(string(out), want+"\n") {
			t.Errorf("the environment lacks %s", want)
		}
	}
	if strings.Contains(string(out), "secret") {
		t.Errorf("the environment holds the server's secrets:\n%s", out)
	}
}

func TestStopAsksFirst(t *testing.T) {
	p := start(t, "sleeper", "a-1")
	ready(t, p)
	if err := p.Stop(t.Context(), time.Hour); err != nil { // an hour: only the signal can end it
		t.Fatal(err)
	}
	if got := p.Ended(); got != "signal: terminated" {
		t.Errorf("it ended by %q, want SIGTERM", got)
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	p := start(t, "stubborn", "a-1")
	ready(t, p)
	if err := p.Stop(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if got := p.Ended(); got != "signal: killed" {
		t.Errorf("it ended by %q, want SIGKILL", got)
	}
}

func TestStopEndsWhatLeftTheGroup(t *testing.T) {
	onLinux(t)
	p := start(t, "parent", "a-1")
	ready(t, p) // said by the child
	if err := p.Stop(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	// The child held the other end of the pipe: its end is the child's end.
	if _, err := io.Copy(io.Discard, p.Stdout); err != nil {
		t.Fatal(err)
	}
}

// TestReapReadsAnEnvironmentToItsEnd, however long it is: the identity stands last.
func TestReapReadsAnEnvironmentToItsEnd(t *testing.T) {
	onLinux(t)
	var env []string
	for i := range 3 {
		env = append(env, fmt.Sprintf("LONG_%d=%s", i, strings.Repeat("x", 60<<10)))
	}
	p, err := process.Start(process.Spec{Path: os.Args[0], Env: append(env, "PLAY=stubborn"), Worker: worker(t), Attempt: "a-1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Kill(context.Background()) }) // it should be gone
	ready(t, p)
	if n, err := process.Reap(t.Context(), worker(t), "a-1"); n != 1 || err != nil {
		t.Errorf("Reap ended %d, %v; want 1", n, err)
	}
	<-p.Done()
}

func TestReapEndsOnlyWhatCarriesTheIdentity(t *testing.T) {
	onLinux(t)
	one, two := start(t, "stubborn", "a-1"), start(t, "stubborn", "a-10")
	ready(t, one)
	ready(t, two)
	if n, err := process.Reap(t.Context(), "another worker", ""); n != 0 || err != nil {
		t.Errorf("another worker's Reap ended %d, %v", n, err)
	}
	if n, err := process.Reap(t.Context(), worker(t), "a-1"); n != 1 || err != nil {
		t.Errorf("Reap of a-1 ended %d, %v; want 1", n, err)
	}
	<-one.Done()
	select {
	case <-two.Done():
		t.Error("Reap of a-1 ended a-10 too")
	default:
	}
	if n, err := process.Reap(t.Context(), worker(t), ""); n != 1 || err != nil {
		t.Errorf("Reap of the worker ended %d, %v; want 1", n, err)
	}
}

func TestWhatCannotBeStarted(t *testing.T) {
	for name, spec := range map[string]process.Spec{
		"no such program":    {Path: "no-such-program-anywhere", Worker: "w"},
		"no worker identity": {Path: os.Args[0]},
		"no such folder":     {Path: os.Args[0], Dir: "/no/such/folder", Worker: "w"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := process.Start(spec); err == nil {
				t.Error("it was started")
			}
		})
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", action.MaxLine)
	for name, tc := range map[string]struct {
		in   string
		want []string
	}{
		"line ends are cut":          {in: "a\nb\r\n\nc", want: []string{"a", "b", "", "c"}},
		"nothing":                    {in: "", want: nil},
		"a long line comes in parts": {in: long + "yz\n", want: []string{long, "yz"}},
		"invalid UTF-8 is replaced":  {in: "a\xff\n", want: []string{"a\uFFFD"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			if err := process.Lines(strings.NewReader(tc.in), func(s string) { got = append(got, s) }); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			got = nil
			process.Text(tc.in, func(s string) { got = append(got, s) })
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("of a text in memory: %s", diff)
			}
		})
	}
}

func TestALongLineIsCutAtTheEdgeOfARune(t *testing.T) {
	var got []string
	process.Text(strings.Repeat("x", action.MaxLine-1)+"äy", func(s string) { got = append(got, s) })
	if len(got) != 2 || got[1] != "äy" {
		t.Errorf("%d lines, the last one %.10q", len(got), got[len(got)-1])
	}
}

func TestTailKeepsTheLastLines(t *testing.T) {
	tail := process.Tail{N: 2}
	for _, line := range []string{"a", "", "b", "c", "  "} {
		tail.Add(line)
	}
	if got := tail.String(); got != "b\nc" {
		t.Errorf("tail = %q, want b, c", got)
	}
}

func onLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("identity is read from /proc: needs Linux")
	}
}

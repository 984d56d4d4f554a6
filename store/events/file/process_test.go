package file_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"jobwright.dev/store/events"
	"jobwright.dev/store/events/file"
)

// TestMain lets this binary stand in for a server that is killed, or whose disk fails.
func TestMain(m *testing.M) {
	var err error
	switch os.Getenv("EVENTS_TEST_CHILD") {
	case "":
		os.Exit(m.Run())
	case "append":
		err = appendForEver(os.Getenv("EVENTS_TEST_DIR"))
	case "small files":
		err = appendToSmallFiles(os.Getenv("EVENTS_TEST_DIR"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(t *testing.T, what, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "EVENTS_TEST_CHILD="+what, "EVENTS_TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// appendForEver says of each tenth event when it was seen in a list.
func appendForEver(dir string) error {
	archive, err := file.Open(file.Options{Dir: dir})
	if err != nil {
		return err
	}
	for i := 1; ; i++ {
		e := event(fmt.Sprintf("job-%d", i), "Queued", 0)
		e.Message = fmt.Sprint(os.Getpid()) // of several children, none repeats another's
		if err := archive.Append(e); err != nil {
			return err
		}
		if i%10 != 0 {
			continue
		}
		page, err := archive.List(context.Background(), events.Filter{Limit: 1})
		if err != nil {
			return err
		}
		fmt.Println(page.Seq)
	}
}

// TestKillNine: what anybody has seen is there after kill -9, and everything before it.
func TestKillNine(t *testing.T) {
	dir := t.TempDir()
	last := uint64(0)
	for range 3 { // each over what the one before has left
		cmd := child(t, "append", dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var seen uint64
		lines := bufio.NewScanner(out)
		for range 20 {
			if !lines.Scan() {
				t.Fatalf("the child ended: %v", lines.Err())
			}
			if seen, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed, as asked

		archive := open(t, file.Options{Dir: dir})
		page := list(t, archive, events.Filter{})
		if page.Seq < seen || len(page.Events) != int(page.Seq) {
			t.Errorf("%d events up to number %d are left, number %d was seen", len(page.Events), page.Seq, seen)
		}
		begun := last
		for _, e := range slices.Backward(page.Events) {
			if e.Seq <= begun {
				continue
			}
			if last++; e.Seq != last || e.Job != fmt.Sprintf("job-%d", last-begun) {
				t.Fatalf("number %d is %s, want job-%d as number %d", e.Seq, e.Job, last-begun, last)
			}
		}
		if err := archive.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// appendToSmallFiles appends under a limit of the file size that lies below that of a
// segment, so that some write of each segment fails half way.
func appendToSmallFiles(dir string) error {
	limit := syscall.Rlimit{Cur: 40 << 10, Max: 40 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	archive, err := file.Open(file.Options{Dir: dir, MaxBytes: 1 << 20, Registerer: registry, Log: logr.Discard()})
	if err != nil {
		return err
	}
	for i := range 600 {
		e := event(fmt.Sprintf("job-%d", i), "Queued", i)
		e.Message = strings.Repeat("x", 500)
		if err := archive.Append(e); err != nil {
			return err
		}
		if i%7 == 0 { // let it be written
			if _, err := archive.List(context.Background(), events.Filter{Limit: 1}); err != nil {
				return err
			}
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	for _, family := range families {
		if name := family.GetName(); name == "jobwright_events_dropped_total" || name == "jobwright_events_written_total" {
			fmt.Println(family.GetMetric()[0].GetCounter().GetValue())
		}
	}
	return nil
}

// TestAWriteThatFailsHalfWay leaves no torn line in the middle and no number twice.
func TestAWriteThatFailsHalfWay(t *testing.T) {
	dir := t.TempDir()
	out, err := child(t, "small files", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	var dropped, written int
	if _, err := fmt.Sscan(string(out), &dropped, &written); err != nil {
		t.Fatal(err)
	}
	if dropped == 0 || dropped+written != 600 {
		t.Errorf("%d were dropped, %d written, want 600 together and some dropped", dropped, written)
	}
	registry := prometheus.NewRegistry()
	archive := open(t, file.Options{Dir: dir, Registerer: registry})
	page := list(t, archive, events.Filter{})
	if len(page.Events) != written {
		t.Errorf("%d events are there, want %d", len(page.Events), written)
	}
	for _, e := range page.Events {
		if e.Job != fmt.Sprintf("job-%d", e.Seq-1) {
			t.Fatalf("number %d is %s", e.Seq, e.Job)
		}
	}
	follower, followed := archive.Follow(page.Events[len(page.Events)-1].Seq-1, events.Filter{}), 0
	for followed < written {
		batch, err := follower.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		followed += len(batch)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if v := family.GetMetric()[0].GetCounter().GetValue(); family.GetName() == "jobwright_events_damaged_lines_total" && v != 0 {
			t.Errorf("%v damaged lines", v)
		}
	}
}

package process_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/controller/action/process"
)

// loose is a program that leaves a process behind which has another session, no parent and
// an empty environment, and tells its number.
const loose = `(setsid env -i sleep 300 >/dev/null 2>&1 </dev/null & echo $!); exec sleep 300`

// adopt plays a program that starts two others, each with such a process, and tells what
// is left of each when it was killed.
func adopt() {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	must(process.AdoptOrphans(context.Background()))
	start := func() (*process.Process, int) {
		p, err := process.Start(process.Spec{Path: "sh", Args: []string{"-c", loose}, Worker: "adopter", Attempt: fmt.Sprint(time.Now().UnixNano())})
		must(err)
		line, err := bufio.NewReader(p.Stdout).ReadString('\n')
		must(err)
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		must(err)
		for orphaned := false; !orphaned; { // it is adopted when its parent has ended
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			must(err)
			orphaned = strings.Contains(string(status), fmt.Sprintf("PPid:\t%d\n", os.Getpid())) && strings.HasPrefix(string(status), "Name:\tsleep")
		}
		return p, pid
	}
	there := func(pid int) bool { return syscall.Kill(pid, 0) == nil }
	alone, left := start()
	fmt.Println("alone:", alone.Kill(context.Background()), there(left))
	first, ofFirst := start()
	pause := time.NewTimer(20 * time.Millisecond) // two ticks of the kernel's clock
	<-pause.C
	second, ofSecond := start()
	err := second.Kill(context.Background())
	fmt.Println("beside an older one:", err != nil && strings.Contains(err.Error(), fmt.Sprintf("%d (sleep)", ofSecond)), there(ofSecond))
	fmt.Println("the older one:", first.Kill(context.Background()), there(ofFirst), there(ofSecond))
	os.Exit(0)
}

// TestOrphansThatGaveUpGroupAndIdentityAreFound, and one that may be another program's is
// named until it can be no other's.
func TestOrphansThatGaveUpGroupAndIdentityAreFound(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "PLAY=adopter")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const want = "alone: <nil> false\nbeside an older one: true true\nthe older one: <nil> false false\n"
	if diff := cmp.Diff(want, string(out)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWhatAProgramHasStartedIsKilledThoughItsParentsEnded: it was noted in time.
func TestWhatAProgramHasStartedIsKilledThoughItsParentsEnded(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux")
	}
	p, err := process.Start(process.Spec{Path: "sh", Args: []string{"-c", `setsid env -i sleep 300 >/dev/null 2>&1 </dev/null & echo $!; read line; exit 0`}, Worker: worker(t), Attempt: "a"})
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(p.Stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	p.Note()
	p.Stdin.Close() // it ends by itself, and its child is nobody's
	p.Wait()
	if err := p.Stop(t.Context(), time.Second); err != nil {
		t.Error(err)
	}
	if state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && !strings.Contains(string(state), ") Z ") {
		t.Errorf("process %d is there still: %s", pid, state)
	}
}

// TestAProgramDiesWithItsParent though the parent is killed.
func TestAProgramDiesWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux")
	}
	p := start(t, "mortal", "a")
	ready(t, p)
	if n := len(carriers(t)); n == 0 {
		t.Fatal("the program's program is not there")
	}
	if err := syscall.Kill(p.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for len(carriers(t)) > 0 {
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// carriers are the processes named sleep that a "mortal" of this test has started.
func carriers(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, entry := range entries {
		env, err := os.ReadFile("/proc/" + entry.Name() + "/environ")
		if err == nil && strings.Contains(string(env), process.WorkerEnv+"=mortal-"+worker(t)) {
			found = append(found, entry.Name())
		}
	}
	return found
}

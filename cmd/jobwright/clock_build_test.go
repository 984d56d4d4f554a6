package main_test

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// nowHead is the head of time.Now, as the toolchain's time package has it.
const nowHead = `
func Now() Time {
	sec, nsec, mono := runtimeNow()
`

// wallStep is what is added to package time: a number of seconds in a file that others
// write to, mapped into memory, so that asking what time it is costs no system call. It
// uses only what package time imports already.
const wallStep = `package time

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

func wallStep() int64 { return atomic.LoadInt64(wallStepAt) }

var wallStepAt = func() *int64 {
	name, ok := syscall.Getenv("JOBWRIGHT_TEST_CLOCK")
	if !ok {
		return new(int64)
	}
	fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		panic("open " + name + ": " + err.Error())
	}
	page, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic("map " + name + ": " + err.Error())
	}
	syscall.Close(fd)
	return (*int64)(unsafe.Pointer(&page[0]))
}()
`

// steppedOverlay writes an overlay for go build with which the wall clock of a program
// is off by what clock sets. Nothing but time.Now is touched, and of what it says only
// the wall clock: as when somebody sets the machine's clock, the monotonic one, by which
// timers, timeouts and time.Since go, runs on.
func steppedOverlay(t *testing.T) string {
	t.Helper()
	dir, source := t.TempDir(), filepath.Join(goEnv(t, "GOROOT")["GOROOT"], "src", "time")
	now, err := os.ReadFile(filepath.Join(source, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(now), nowHead); n != 1 {
		t.Fatalf("%s has this %d times, not once: look at how this Go version asks what time it is, and put nowHead right.\n%s",
			filepath.Join(source, "time.go"), n, nowHead)
	}
	stepped := strings.Replace(string(now), nowHead, nowHead+"\tsec += wallStep()\n", 1)
	replace := map[string]string{}
	for name, text := range map[string]string{"time.go": stepped, "wall_step.go": wallStep} {
		replace[filepath.Join(source, name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// clock is the wall clock of a server that was built with steppedOverlay.
type clock struct {
	t    testing.TB
	file *os.File
	step time.Duration // ahead of the machine's
}

func newClock(t testing.TB) *clock {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "clock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	c := &clock{t: t, file: f}
	c.set(0)
	return c
}

// set has the clock jump to where it is step ahead of the machine's.
func (c *clock) set(step time.Duration) {
	c.t.Helper()
	if _, err := c.file.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(step/time.Second)), 0); err != nil {
		c.t.Fatal(err)
	}
	c.step = step
}

// now is what the server's clock says.
func (c *clock) now() time.Time { return time.Now().Add(c.step).Round(0) }

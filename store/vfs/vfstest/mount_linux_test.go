package vfstest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"jobwright.dev/store/vfs/vfstest"
)

// TestMount gives a shell a disk: what it writes is there, what it syncs survives, and
// what the disk is told to refuse is refused.
func TestMount(t *testing.T) {
	dir := t.TempDir()
	d := vfstest.NewDisk()
	unmount := vfstest.Mount(t, d, dir)
	shell := func(script string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", `cd "$0"; `+script, dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Sprintf("%s%v", out, err)
		}
		return string(out)
	}
	got := shell("mkdir a; echo one >a/b; echo two >>a/b; mv a/b a/c; touch -d 2020-01-01T00:00:00.123456Z a/c; cat a/c; ls a; stat -c '%s %.6Y' a/c; truncate -s 3 a/c; cat a/c")
	if want := "one\ntwo\nc\n8 1577836800.123456\none"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := shell("sync a/c; sync a; echo lost >d; rm a/c; mkdir f; echo x >f/e; rm f/e; rmdir f; ls; ls a"); got != "a\nd\n" {
		t.Errorf("got %q", got)
	}
	if want := []string{"create b", "write b", "write b", "rename b", "truncate c", "fsync c", "syncdir a"}; !slices.Equal(d.Trace()[:len(want)], want) {
		t.Errorf("operations are %q, want %q", d.Trace(), want)
	}
	d.FailWhen(func(op, file string) (vfstest.Fault, bool) {
		return vfstest.Fault{Err: syscall.ENOSPC}, op == "write" && file == "full"
	})
	if got := shell("echo x >full"); !strings.Contains(got, "exit status") || d.Failed()["write: no space left on device"] != 1 {
		t.Errorf("got %q, %v", got, d.Failed())
	}
	unmount()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v is below the disk, %v", entries, err)
	}
	// The name c was removed, but that was not synced.
	vfstest.Mount(t, d.AfterCrash(vfstest.Lose, nil), dir)
	if got := shell("cat " + filepath.Join("a", "c") + "; ls"); got != "onea\n" {
		t.Errorf("after a crash: %q", got)
	}
}

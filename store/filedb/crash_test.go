package filedb_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jobwright.dev/store/filedb"
	"jobwright.dev/store/vfs/vfstest"
)

// TestMain is also the program that the test below starts: it writes files one over the
// other and says of each that it is written.
func TestMain(m *testing.M) {
	path := os.Getenv("FILEDB_TEST_PATH")
	if path == "" {
		os.Exit(m.Run())
	}
	for n := 1; n <= 3; n++ {
		if err := filedb.WriteJSON(path, value{Name: strings.Repeat("x", 3000), N: n}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
	os.Exit(0)
}

// TestACrashTakesNothingBack has a program write over a disk that forgets what was not
// synced, and crashes the machine at every operation of the disk.
func TestACrashTakesNothingBack(t *testing.T) {
	write := func(d *vfstest.Disk) (written int) {
		dir := t.TempDir()
		unmount := vfstest.Mount(t, d, dir)
		defer unmount()
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), "FILEDB_TEST_PATH="+filepath.Join(dir, "folder", "file.json"))
		out, err := cmd.Output()
		if err != nil && !d.Crashed() {
			t.Fatalf("%v: %s", err, out)
		}
		return bytes.Count(out, []byte("\n"))
	}
	whole := vfstest.NewDisk()
	if n := write(whole); n != 3 {
		t.Fatalf("%d files were written, want 3", n)
	}
	for n := 1; n <= whole.Ops(); n++ {
		d := vfstest.NewDisk()
		d.CrashAt(n)
		acknowledged := write(d)
		for _, aftermath := range []vfstest.Aftermath{vfstest.Lose, vfstest.Keep} {
			after := d.AfterCrash(aftermath, nil)
			content, found := "", 0
			if slices.Contains(after.Files(), "/folder/file.json") {
				content = string(after.Content("/folder/file.json"))
			}
			if content != "" {
				if _, err := fmt.Sscanf(content[strings.LastIndex(content, ":"):], ":%d}", &found); err != nil || len(content) < 3000 {
					t.Errorf("crash at %d of %d: a part of a file: %.80s… of %d bytes", n, whole.Ops(), content, len(content))
				}
			}
			if found < acknowledged {
				t.Errorf("crash at %d of %d (%s): number %d is there, number %d was written", n, whole.Ops(), d.Trace()[len(d.Trace())-1], found, acknowledged)
			}
		}
	}
}

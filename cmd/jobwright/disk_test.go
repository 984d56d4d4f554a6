package main_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jobwright.dev/api/client"
	"jobwright.dev/api/server/servertest"
	"jobwright.dev/store/storetest"
	"jobwright.dev/store/vfs/vfstest"
)

// newKilled builds the product for a server whose data folder the test prepares.
func newKilled(t *testing.T) (k *killed, data string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	k = &killed{t: t, bin: t.TempDir(), dir: t.TempDir(), address: servertest.Address(t)}
	k.build()
	data = filepath.Join(k.dir, "data")
	if err := errors.Join(os.Mkdir(data, 0o700), os.WriteFile(filepath.Join(k.dir, "mcp.json"), []byte(`{"mcpServers":{}}`), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if k.cmd != nil && k.cmd.ProcessState == nil {
			_ = errors.Join(k.cmd.Process.Kill(), k.cmd.Wait())
		}
	})
	return k, data
}

// kill ends the server as a power cut does.
func (k *killed) kill() {
	k.t.Helper()
	if err := k.cmd.Process.Kill(); err != nil {
		k.t.Fatal(err)
	}
	_ = k.cmd.Wait() // killed, as asked
}

// stop ends the server as an operator does.
func (k *killed) stop() {
	k.t.Helper()
	if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		k.t.Fatal(err)
	}
	if err := k.cmd.Wait(); err != nil {
		k.t.Errorf("the server ended with %v:\n%s", err, k.log.String())
	}
}

// fetch asks the server and returns the answer's code and body.
func (k *killed) fetch(method, path, body string) (int, string) {
	k.t.Helper()
	r, err := http.NewRequestWithContext(k.t.Context(), method, "http://"+k.address+path, strings.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.AddCookie(&http.Cookie{Name: "active_workspace", Value: "default"})
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		k.t.Fatalf("%s %s: %v\n%s", method, path, err, k.log.String())
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// answers reports whether the server takes requests.
func (k *killed) answers() bool {
	connection, err := net.Dial("tcp", k.address)
	if err != nil {
		return false
	}
	_ = connection.Close()
	return true
}

// fsck checks the folder of the stopped server.
func (k *killed) fsck() {
	k.t.Helper()
	fsck := exec.CommandContext(k.t.Context(), filepath.Join(k.bin, "jobwright"), "fsck", "--data-dir", filepath.Join(k.dir, "data"))
	if out, err := fsck.CombinedOutput(); err != nil {
		k.t.Fatalf("fsck: %v: %s", err, out)
	}
}

const newRecord = `{"type":"api_call","payload":{}}`

// wantReadOnly checks that the server says everywhere that it takes no writes, and why,
// while reads go on.
func (k *killed) wantReadOnly(cause string) {
	k.t.Helper()
	if code, text := k.fetch(http.MethodGet, "/readyz", ""); code != http.StatusServiceUnavailable || !strings.Contains(text, "read-only") || !strings.Contains(text, cause) {
		k.t.Errorf("/readyz: %d %s", code, text)
	}
	if code, text := k.fetch(http.MethodGet, "/metrics", ""); code != http.StatusOK ||
		!strings.Contains(text, "jobwright_store_read_only 1\n") || strings.Contains(text, "jobwright_store_write_errors_total 0\n") {
		k.t.Errorf("/metrics: %d, and the store's are not those of a write error", code)
	}
	if code, text := k.fetch(http.MethodPost, "/api/jobs", newRecord); code != http.StatusServiceUnavailable || !strings.Contains(text, cause) {
		k.t.Errorf("a new job: %d %s", code, text)
	}
	for method, path := range map[string]string{http.MethodGet: "/readyz", http.MethodPost: "/api/jobs"} {
		if _, text := k.fetch(method, path, newRecord); strings.Contains(text, k.dir) {
			k.t.Errorf("%s tells a client where the data lies: %s", path, text)
		}
	}
	if code, text := k.fetch(http.MethodGet, "/livez", ""); code != http.StatusOK {
		k.t.Errorf("/livez: %d %s", code, text)
	}
	if code, text := k.fetch(http.MethodGet, "/api/jobs/before", ""); code != http.StatusOK || !strings.Contains(text, `"succeeded"`) {
		k.t.Errorf("a read: %d %s", code, text)
	}
	if phase := k.jobwright("get", "job", "before", "-o", "jsonpath={.status.phase}"); phase != "Succeeded\n" {
		k.t.Errorf("a read: %s", phase)
	}
}

// TestADiskErrorMakesTheServerReadOnly gives the real server a disk that refuses every write
// or every sync: the server is read-only, says so everywhere, and loses nothing when it is
// killed. How it heals by itself when the disk works again, which is at a time of its own, is
// for TestAfterATransientErrorTheStoreTakesWritesAgain in store/file. The same disk shows that a folder on a network filesystem is warned of: it is
// one of FUSE.
func TestADiskErrorMakesTheServerReadOnly(t *testing.T) {
	k, data := newKilled(t)
	k.flags = []string{"--allow-private-addresses"}
	tests := map[string]struct {
		op    string
		fault vfstest.Fault
	}{
		"fdatasync answers EIO":  {"fdatasync", vfstest.Fault{Err: syscall.EIO}},
		"a write answers EIO":    {"write", vfstest.Fault{Err: syscall.EIO}},
		"half a write, then EIO": {"write", vfstest.Fault{Err: syscall.EIO, Short: true}},
		// What the kernel does with a filesystem that it finds damaged, in all its files.
		"the filesystem turns read-only": {"", vfstest.Fault{Err: syscall.EROFS}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			k.t = t
			d := vfstest.NewDisk()
			unmount := vfstest.Mount(t, d, data)
			k.log.Reset()
			k.start()
			defer func() {
				if k.cmd.ProcessState == nil {
					_ = errors.Join(k.cmd.Process.Kill(), k.cmd.Wait())
				}
			}()
			k.ready()
			k.jobwright("run", "api-call", "--name", "before")
			called, end := make(chan struct{}, 8), make(chan struct{})
			target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				called <- struct{}{}
				<-end
			}))
			defer target.Close()
			var release sync.Once
			defer release.Do(func() { close(end) })
			body := `{"apiVersion":"jobwright.dev/v1","kind":"Job","metadata":{"name":"running"},"spec":{"apiCall":{"url":"` + target.URL + `","method":"PUT"}}}`
			if code, text := k.fetch(http.MethodPost, "/apis/jobwright.dev/v1/namespaces/default/jobs", body); code != http.StatusCreated {
				t.Fatalf("%d %s", code, text)
			}
			<-called
			// A half write is repeated by the kernel's caller, so that has to fail as well.
			d.FailWhen(func(op, file string) (vfstest.Fault, bool) {
				return test.fault, test.op == "" && op != "read" || op == test.op && strings.HasSuffix(file, ".journal")
			})
			cause := test.fault.Err.Error()
			if code, text := k.fetch(http.MethodPost, "/api/jobs", newRecord); code != http.StatusServiceUnavailable || !strings.Contains(text, cause) {
				t.Errorf("the write that the disk refuses: %d %s", code, text)
			}
			k.wantReadOnly(cause)
			release.Do(func() { close(end) }) // the outcome cannot be written down now
			if log := k.log.String(); !strings.Contains(log, "read-only after a write error") || !strings.Contains(log, "network filesystem") || !strings.Contains(log, "filesystem=fuse") {
				t.Errorf("the log says:\n%s", log)
			}
			if n := strings.Count(k.log.String(), "\n"); n > 100 {
				t.Errorf("the log has %d lines, so somebody tries all the time:\n%s", n, k.log.String())
			}
			backup := filepath.Join(t.TempDir(), "backup.json")
			k.jobwright("backup", "--data-dir", data, backup)
			if content, err := os.ReadFile(backup); err != nil || !strings.Contains(string(content), `"name":"before"`) {
				t.Errorf("a backup of a server that is read-only: %v", err)
			}
			k.kill()
			unmount()
			// What the disk has lost is lost: the pages of a sync that failed count as clean.
			vfstest.Mount(t, d.AfterCrash(vfstest.Lose, nil), data)
			k.fsck()
			k.start()
			k.ready()
			if code, text := k.fetch(http.MethodGet, "/readyz", ""); code != http.StatusOK {
				t.Errorf("/readyz after the restart: %d %s", code, text)
			}
			if phase := k.jobwright("get", "job", "before", "-o", "jsonpath={.status.phase}"); phase != "Succeeded\n" {
				t.Errorf("what was acknowledged is %q", phase)
			}
			k.jobwright("run", "api-call", "--name", "after")
			k.jobwright("wait", "--for=condition=Finished", "job/running")
			k.stop()
			t.Logf("campaign: real server: faults %v, losses: 0", d.Failed())
		})
	}
}

// TestAReadOnlyFolder is refused by a server, with what to do, and read by what only
// reads: fsck and restore, as is wanted of a disk that fails.
func TestAReadOnlyFolder(t *testing.T) {
	k, data := newKilled(t)
	k.start()
	k.ready()
	k.jobwright("run", "api-call", "--name", "before")
	k.stop()
	mount := func(args ...string) error {
		out, err := exec.CommandContext(t.Context(), "mount", args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("mount %v: %w: %s", args, err, out)
		}
		return nil
	}
	err := mount("--bind", data, data)
	if err == nil {
		t.Cleanup(func() {
			if out, err := exec.Command("umount", data).CombinedOutput(); err != nil {
				t.Errorf("umount: %v: %s", err, out)
			}
		})
		err = mount("-o", "remount,bind,ro", data)
	}
	if err != nil {
		if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" && os.Getuid() == 0 {
			t.Fatal(err)
		}
		t.Skip("needs to be root, to mount a folder read-only")
	}
	serve := exec.CommandContext(t.Context(), filepath.Join(k.bin, "jobwright"), "serve", "--listen", "127.0.0.1:0", "--data-dir", data)
	out, err := serve.CombinedOutput()
	if err == nil || serve.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), data) || !strings.Contains(string(out), "read-only file system; the folder must be writable") {
		t.Errorf("a server on a read-only folder: %v: %s", err, out)
	}
	k.fsck()
	k.jobwright("restore", "--from", data, "--data-dir", filepath.Join(k.dir, "restored"))
	if content, err := os.ReadFile(filepath.Join(k.dir, "restored", "jobs.json")); err != nil || !strings.Contains(string(content), `"name":"before"`) {
		t.Errorf("what was restored from a read-only folder: %v: %s", err, content)
	}
}

// TestPowerCutsUnderLoadLoseNothing cuts the power of the real server's machine again
// and again at a write of its disk, while clients create, change and delete jobs over
// HTTP: what was not synced is lost, kept or torn by sectors. Before each start the store
// passes fsck; after it every acknowledged write is there and no acknowledged delete is
// undone. JOBWRIGHT_TEST_CUTS says how often (default 6; 300 is the long campaign).
func TestPowerCutsUnderLoadLoseNothing(t *testing.T) {
	k, data := newKilled(t)
	rounds := storetest.Rounds(t, "JOBWRIGHT_TEST_CUTS", 6)
	api, err := client.New(client.Config{Server: "http://" + k.address})
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{there: map[string]int32{}, deleted: map[string]bool{}, doubtful: map[string]bool{}}
	r := rand.New(rand.NewPCG(11, 12))
	d := vfstest.NewDisk()
	unmount := vfstest.Mount(t, d, data)
	k.start()
	k.ready()
	cuts, where := 0, map[string]int{}
	cut := func(d *vfstest.Disk, unmount func()) (*vfstest.Disk, func()) {
		unmount()
		cuts++
		if trace := d.Trace(); d.Crashed() {
			op, name, _ := strings.Cut(trace[len(trace)-1], " ")
			where[op+" "+kindOf(name)]++
		} else {
			where["at rest"]++
		}
		d = d.AfterCrash(vfstest.Aftermath(r.IntN(3)), r)
		return d, vfstest.Mount(t, d, data)
	}
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for round := range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		ordered := round%3 == 2 // this time the power goes while the server ends in order
		if !ordered {
			d.CrashAt(d.Ops() + 1 + r.IntN(400))
		}
		var clients sync.WaitGroup
		for i := range 8 {
			clients.Go(func() {
				l.load(ctx, api, fmt.Sprintf("r%d-c%d", round, i), rand.New(rand.NewPCG(uint64(round), uint64(i))))
			})
		}
		if ordered {
			pause := time.NewTimer(50 * time.Millisecond)
			<-pause.C
			cancel()
			clients.Wait()
			d.CrashAt(d.Ops() + 1 + r.IntN(12))
			_ = k.cmd.Process.Signal(syscall.SIGTERM)
			_ = k.cmd.Wait() // in order or not
		} else {
			clients.Wait() // each ends with its first error
			k.kill()
			cancel()
		}
		d, unmount = cut(d, unmount)
		k.fsck()
		if r.IntN(3) == 0 { // and once more, while the server recovers
			d.CrashAt(d.Ops() + 1 + r.IntN(12))
			k.start()
			for !d.Crashed() && !k.answers() {
				<-look.C
			}
			k.kill()
			d, unmount = cut(d, unmount)
			k.fsck()
		}
		k.start()
		k.ready()
		l.check(t, api, round)
	}
	t.Logf("campaign: real server: %d rounds, %d power cuts at %v, %d acknowledged writes, %d objects at the end, losses: %d", rounds, cuts, where, l.writes, len(l.there), l.losses)
	k.stop()
}

// kindOf is a file's name without its number.
func kindOf(name string) string {
	if at := strings.IndexFunc(name, func(r rune) bool { return r < '0' || r > '9' }); at > 4 {
		return "N" + name[at:]
	}
	return name
}

package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/client"
	"jobwright.dev/api/server/servertest"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store/storetest"
)

// ledger is what the server has acknowledged.
type ledger struct {
	mu       sync.Mutex
	there    map[string]int32 // by name, with the priority that was acknowledged last
	deleted  map[string]bool
	doubtful map[string]bool // the answer to the last operation was lost
	writes   int
	losses   int // that check has found
}

// TestKillNineUnderLoadLosesNothing kills the real server again and again while clients
// create, change and delete jobs over HTTP. Before each start the store passes fsck;
// after it every acknowledged write is there and no acknowledged delete is undone.
// JOBWRIGHT_TEST_ROUNDS says how often (default 5; 300 is the long campaign).
func TestKillNineUnderLoadLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	rounds := storetest.Rounds(t, "JOBWRIGHT_TEST_ROUNDS", 5)
	k := &killed{t: t, bin: t.TempDir(), dir: t.TempDir(), address: servertest.Address(t)}
	k.build()
	if err := os.WriteFile(filepath.Join(k.dir, "mcp.json"), []byte(`{"mcpServers":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	api, err := client.New(client.Config{Server: "http://" + k.address})
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{there: map[string]int32{}, deleted: map[string]bool{}, doubtful: map[string]bool{}}
	r := rand.New(rand.NewPCG(9, 10))
	k.start()
	k.ready()
	for round := range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for i := range 8 {
			clients.Go(func() {
				l.load(ctx, api, fmt.Sprintf("r%d-c%d", round, i), rand.New(rand.NewPCG(uint64(round), uint64(i))))
			})
		}
		pause := time.NewTimer(time.Duration(20+r.IntN(150)) * time.Millisecond)
		<-pause.C
		if err := k.cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = k.cmd.Wait() // killed, as asked
		cancel()
		clients.Wait()
		fsck := exec.CommandContext(t.Context(), filepath.Join(k.bin, "jobwright"), "fsck", "--data-dir", filepath.Join(k.dir, "data"))
		if out, err := fsck.CombinedOutput(); err != nil {
			t.Fatalf("round %d: fsck: %v: %s", round, err, out)
		}
		k.start()
		k.ready()
		l.check(t, api, round)
	}
	t.Logf("campaign: real server: %d kills, %d acknowledged writes, %d objects at the end, losses: %d", rounds, l.writes, len(l.there), l.losses)
	if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v:\n%s", err, k.log.String())
	}
}

func jobKey(name string) client.Key {
	kind, _ := v1.KindByName(v1.KindJob)
	return client.Key{Kind: kind, Namespace: v1.DefaultWorkspace, Name: name}
}

// load writes until the server is gone, and notes what was acknowledged. Each client
// has names of its own, so that what it was told last is the truth.
func (l *ledger) load(ctx context.Context, api *client.Client, prefix string, r *rand.Rand) {
	var mine []string
	for n := 0; ctx.Err() == nil; n++ {
		at := r.IntN(10)
		var name string
		var err error
		switch {
		case at < 6 || len(mine) == 0:
			name = fmt.Sprintf("%s-%d", prefix, n)
			mine = append(mine, name)
			_, err = api.Create(ctx, &v1.Job{
				TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
				ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: v1.DefaultWorkspace},
				Spec:       v1.JobSpec{Type: v1.JobTypeAPICall, Suspend: true},
			})
			l.note(name, err, func() { l.there[name] = 0 })
		case at < 8:
			name = mine[r.IntN(len(mine))]
			priority := int32(r.IntN(1000))
			_, err = api.Patch(ctx, jobKey(name), map[string]any{"spec": map[string]any{"priority": priority}})
			l.note(name, err, func() { l.there[name] = priority })
		default:
			at := r.IntN(len(mine))
			name = mine[at]
			mine = append(mine[:at], mine[at+1:]...)
			err = api.Delete(ctx, jobKey(name))
			l.note(name, err, func() {
				delete(l.there, name)
				l.deleted[name] = true
			})
		}
		if err != nil {
			return // the server is gone
		}
	}
}

func (l *ledger) note(name string, err error, acknowledged func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.doubtful[name] = true
		return
	}
	l.writes++
	acknowledged()
}

// check compares the server with the ledger, and settles what was in doubt.
func (l *ledger) check(t *testing.T, api *client.Client, round int) {
	t.Helper()
	kind, _ := v1.KindByName(v1.KindJob)
	list, err := api.ListAll(t.Context(), kind, client.ListOptions{Namespace: v1.DefaultWorkspace})
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	found := map[string]*v1.Job{}
	for _, obj := range list.Items {
		job := obj.(*v1.Job)
		found[job.Name] = job
		for _, err := range v1.Check(job) {
			t.Errorf("round %d: %v", round, err)
		}
		if l.deleted[job.Name] && !l.doubtful[job.Name] {
			l.losses++
			t.Errorf("round %d: %s was deleted and is there again", round, job.Name)
		}
		if _, known := l.there[job.Name]; !known && !l.doubtful[job.Name] {
			t.Errorf("round %d: %s is there and nobody was told", round, job.Name)
		}
	}
	for name, priority := range l.there {
		job := found[name]
		switch {
		case l.doubtful[name]:
		case job == nil:
			l.losses++
			t.Errorf("round %d: %s was acknowledged and is gone", round, name)
		case job.Spec.Priority != priority:
			l.losses++
			t.Errorf("round %d: %s has priority %d, acknowledged was %d", round, name, job.Spec.Priority, priority)
		}
	}
	for name := range l.doubtful {
		if job := found[name]; job != nil {
			l.there[name] = job.Spec.Priority
		} else {
			delete(l.there, name)
			l.deleted[name] = true
		}
	}
	l.doubtful = map[string]bool{}
}

// TestAFullDiskRefusesNewWorkAndLosesNothing runs the real server on a filesystem of a
// few megabytes and fills it.
func TestAFullDiskRefusesNewWorkAndLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	k := &killed{t: t, bin: t.TempDir(), dir: t.TempDir(), address: servertest.Address(t)}
	data := filepath.Join(k.dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=24m", "jobwright-test", data).CombinedOutput(); err != nil {
		if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" && os.Getuid() == 0 {
			t.Fatalf("mount a tmpfs: %v: %s", err, out)
		}
		t.Skip("needs to be root, to mount a tmpfs")
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", data).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	k.build()
	if err := os.WriteFile(filepath.Join(k.dir, "mcp.json"), []byte(`{"mcpServers":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	k.flags = []string{"--min-free-bytes=4194304"} // the guard is on, with 4 MiB to spare
	k.start()
	k.ready()
	k.jobwright("run", "api-call", "--name", "before", "--detach")
	ballast := filepath.Join(data, "ballast")
	fill(t, ballast, 24<<20)
	refused := exec.CommandContext(t.Context(), filepath.Join(k.bin, "jobwright"), "--server", "http://"+k.address, "run", "api-call", "--name", "refused", "--detach")
	refused.Env = append(os.Environ(), "JOBWRIGHT_CONFIG_DIR="+k.dir)
	// The guard looks at the disk ten times a second.
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for n := 0; ; n++ {
		out, err := refused.CombinedOutput()
		if err != nil {
			if !strings.Contains(string(out), "MiB free, the limit is 4 MiB; free some space or delete finished jobs") {
				t.Errorf("the refusal says: %s", out)
			}
			break
		}
		if n == 100 {
			t.Fatal("a full disk takes new work")
		}
		<-look.C
		again := exec.CommandContext(t.Context(), refused.Path, "--server", "http://"+k.address, "run", "api-call", "--name", fmt.Sprint("refused-", n), "--detach")
		again.Env = refused.Env
		refused = again
	}
	for path, want := range map[string]string{
		"/api/jobs": `"error":"storage_full"`, "/apis/jobwright.dev/v1/namespaces/default/jobs": `"reason":"InsufficientStorage"`,
	} {
		body := newRecord
		if path != "/api/jobs" {
			body = `{"apiVersion":"jobwright.dev/v1","kind":"Job","metadata":{"name":"refused-too"},"spec":{"type":"api_call"}}`
		}
		if code, text := k.fetch(http.MethodPost, path, body); code != http.StatusInsufficientStorage || !strings.Contains(text, want) || !strings.Contains(text, "the limit is 4 MiB") {
			t.Errorf("POST %s on a full disk: %d %s", path, code, text)
		}
	}
	if phase := k.jobwright("get", "job", "before", "-o", "jsonpath={.status.phase}"); phase != "Succeeded\n" {
		t.Errorf("reads on a full disk: %q", phase)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for {
		after := exec.CommandContext(t.Context(), refused.Path, "--server", "http://"+k.address, "run", "api-call", "--name", "after", "--detach")
		after.Env = refused.Env
		if after.Run() == nil {
			break
		}
		<-look.C
	}
	if err := k.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = k.cmd.Wait() // killed, as asked
	k.start()
	k.ready()
	for _, name := range []string{"before", "after"} {
		k.jobwright("wait", name)
	}
	if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v:\n%s", err, k.log.String())
	}
}

// fill writes a file until the disk is full, or it has that size.
func fill(t *testing.T, path string, size int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 64<<10)
	for n := 0; n < size; n += len(block) {
		if _, err := f.Write(block); err != nil {
			return // full, as was wanted
		}
	}
}

// TestASecondServerOnTheFolderIsRefused, and so is a folder that cannot be written.
func TestASecondServerOnTheFolderIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	k := &killed{t: t, bin: t.TempDir(), dir: t.TempDir(), address: servertest.Address(t)}
	k.build()
	if err := os.WriteFile(filepath.Join(k.dir, "mcp.json"), []byte(`{"mcpServers":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	k.start()
	k.ready()
	second := exec.CommandContext(t.Context(), filepath.Join(k.bin, "jobwright"), "serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(k.dir, "data"))
	out, err := second.CombinedOutput()
	if err == nil || second.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), filepath.Join(k.dir, "data")) || !strings.Contains(string(out), "is held by process") {
		t.Errorf("a second server: %v: %s", err, out)
	}
	file := filepath.Join(k.dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	nowhere := exec.CommandContext(t.Context(), filepath.Join(k.bin, "jobwright"), "serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(file, "data"))
	if out, err := nowhere.CombinedOutput(); err == nil || !strings.Contains(string(out), file) {
		t.Errorf("a folder that cannot be: %v: %s", err, out)
	}
	if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v:\n%s", err, k.log.String())
	}
}

package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/client"
	"jobwright.dev/api/server/servertest"
	v1 "jobwright.dev/api/v1"
)

// BenchmarkServerMemory is the resident memory of the real server some seconds after
// its last request: without jobs, with 100,000 that are queued (their workspace is
// suspended), and with the same after a restart. JOBWRIGHT_BENCH_OBJECTS says how many.
//
// Two cores of an AMD EPYC, go1.26: 23 MiB empty, 82 MiB with 100,000 queued, 63 to 69 MiB
// after a restart; 388 MiB before the controller kept properties that jobs share once, the
// indexes were tables of pointers, and memory was given back after a burst. Of the empty
// server 17.5 MiB are the program's own pages, which the system may drop: it has grown with
// the program (17 to 21 MB of text). Half a MiB are the meta-schemas that package jsonschema
// compiles when the process begins. Of a job the store keeps 205 bytes, the controller 238; the
// rest is what the allocator's spans have left over.
func BenchmarkServerMemory(b *testing.B) {
	queued := 100_000
	if text := os.Getenv("JOBWRIGHT_BENCH_OBJECTS"); text != "" {
		var err error
		if queued, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		k := &killed{t: b, bin: b.TempDir(), dir: b.TempDir(), address: servertest.Address(b)}
		k.build()
		if err := os.WriteFile(filepath.Join(k.dir, "mcp.json"), []byte(`{"mcpServers":{}}`), 0o600); err != nil {
			b.Fatal(err)
		}
		k.start()
		k.ready()
		b.ReportMetric(k.resident(), "MiB-empty")
		rate := k.fill(b, queued)
		b.ReportMetric(rate, "creates/s")
		b.ReportMetric(k.resident(), "MiB-queued")
		k.end()
		k.start()
		k.ready()
		b.ReportMetric(k.resident(), "MiB-restarted")
		k.end()
	}
}

func (k *killed) end() {
	k.t.Helper()
	if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		k.t.Fatal(err)
	}
	if err := k.cmd.Wait(); err != nil {
		k.t.Fatalf("%v\n%s", err, k.log.String())
	}
}

// resident is the server's resident memory in MiB, once it does not change any more.
func (k *killed) resident() float64 {
	k.t.Helper()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	last, same := 0.0, 0
	for range look.C {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", k.cmd.Process.Pid))
		if err != nil {
			k.t.Skipf("the memory of a process is read from /proc: %v", err)
		}
		now := 0.0
		for line := range strings.Lines(string(data)) {
			if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				kib, err := strconv.Atoi(strings.Fields(value)[0])
				if err != nil {
					k.t.Fatal(err)
				}
				now = float64(kib) / 1024
			}
		}
		if same++; now != last {
			last, same = now, 0
		}
		if same == 5 {
			break
		}
	}
	return last
}

// fill creates jobs by 64 clients, as many as n, and returns how many a second.
func (k *killed) fill(b *testing.B, n int) float64 {
	api, err := client.New(client.Config{Server: "http://" + k.address})
	if err != nil {
		b.Fatal(err)
	}
	acme := &v1.Workspace{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace},
		ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: v1.WorkspaceSpec{Suspend: true},
	}
	if _, err := api.Create(b.Context(), acme); err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	var clients sync.WaitGroup
	start := time.Now()
	for range 64 {
		clients.Go(func() {
			for at := next.Add(1); at <= int64(n); at = next.Add(1) {
				_, err := api.Create(b.Context(), &v1.Job{
					TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
					ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%d-abcdef", 1790000000000+at), Namespace: "acme", Labels: map[string]string{"team": "web"}},
					Spec: v1.JobSpec{Build: &v1.BuildAction{
						Server: "builders", Action: "apply_builder", ID: "nextjs-api-route",
						Variables: map[string]v1.JSON{"ROUTE_NAME": {Raw: []byte(`"health"`)}},
					}},
				})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
	return float64(n) / time.Since(start).Seconds()
}

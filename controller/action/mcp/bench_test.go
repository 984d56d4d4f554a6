package mcp_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
	"jobwright.dev/controller/job"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	logfiles "jobwright.dev/store/logs/file"
)

// BenchmarkCall compares one build job, from the Runner's side, with a bare call of the
// SDK to the same server, and with a job that starts a server of its own. The server is this
// program, unless BENCH_MCP_SERVER names another; its tool answers at once.
//
// Two cores of an AMD EPYC, go1.26, shared with other work: medians of 6 to 8 pairs, commit
// 21b0475 in turn with this version, one server program for both. Processor time is that of
// the worker; of a spawned call it includes the server's.
//
//	         21b0475                this version
//	bare     0.31 ms, 0.15 ms CPU   0.42 ms, 0.20 ms CPU
//	warm     0.66 ms, 0.27 ms CPU   0.53 ms, 0.18 ms CPU
//	spawned  20.4 ms, 12.0 ms CPU   13.7 ms, 10.4 ms CPU
//
// A warm call leaves 73 KiB of garbage, 64 of them two buffers of the SDK's decoder; a bare
// call leaves 137 KiB. A bare call runs none of Jobwright's code. Its difference is the
// garbage collector's: so small a program collects every 20 calls and marks the 1.7 MB of
// meta-schemas that jsonschema/v6 makes at each start (with GOGC=800: 0.27 and 0.28 ms). That
// start takes 2.5 ms, also of a spawned call whose server is this program.
func BenchmarkCall(b *testing.B) {
	path := benchServer(b)
	b.Run("bare", func(b *testing.B) {
		cmd := exec.CommandContext(b.Context(), path)
		cmd.Env = append(os.Environ(), fakeEnv+"=1")
		client, err := sdk.NewClient(&sdk.Implementation{Name: "bench"}, nil).Connect(b.Context(), &sdk.CommandTransport{Command: cmd}, nil)
		if err != nil {
			b.Fatal(err)
		}
		defer client.Close()
		for b.Loop() {
			if _, err := client.CallTool(b.Context(), &sdk.CallToolParams{Name: "pid"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	runner := func(b *testing.B) *mcp.Runner {
		b.Helper()
		r, err := mcp.New(mcp.Options{Worker: fmt.Sprint("bench-", os.Getpid()), Version: "bench", Config: &mcp.Config{
			Servers: map[string]mcp.Server{"fake": {Type: "stdio", Command: path, Env: map[string]string{fakeEnv: "1"}}},
		}})
		if err != nil {
			b.Fatal(err)
		}
		return r
	}
	call := func(b *testing.B, r *mcp.Runner) {
		b.Helper()
		if out := r.Run(b.Context(), attempt(&v1.BuildAction{Action: "pid"}), nothing{}); out.Verdict != action.Succeeded {
			b.Fatalf("outcome %+v", out)
		}
	}
	b.Run("warm", func(b *testing.B) {
		r := runner(b)
		defer r.Close()
		call(b, r)
		for b.Loop() {
			call(b, r)
		}
	})
	b.Run("spawned", func(b *testing.B) {
		for b.Loop() {
			r := runner(b)
			call(b, r)
			r.Close()
		}
	})
}

// benchServer is the server's program: this one, unless BENCH_MCP_SERVER names another that
// has a tool pid. Who compares two versions of Jobwright gives both the same server, because
// the start of this program is part of what a spawned call costs.
func benchServer(b *testing.B) string {
	b.Helper()
	if path := os.Getenv("BENCH_MCP_SERVER"); path != "" {
		return path
	}
	path, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	return path
}

// nothing is a sink that takes nothing.
type nothing struct{}

func (nothing) Line(action.Stream, string) {}
func (nothing) Progress(int, string)       {}
func (nothing) Result(v1.JSON)             {}

// BenchmarkQueued carries out 1,000 queued build jobs over a pool of four sessions,
// through the real controller and store.
//
// Two cores of an AMD EPYC (one fdatasync 0.1 ms), go1.26, alone: 0.74 s, 1,350 jobs/s, four
// servers and never more, 32 MiB resident with store, controller and test.
//
// In turn with commit 21b0475, at "sessions": 4, one server
// program for both, on cores shared with other work, medians of 8 pairs: 1.3 s of processor
// time for 1,000 jobs before and after, their servers included; 31 and 37 MiB resident.
func BenchmarkQueued(b *testing.B) {
	const queued, sessions = 1000, 4
	path := benchServer(b)
	most, memory := 0, 0.0
	for b.Loop() {
		b.StopTimer()
		worker := fmt.Sprint("bench-queued-", os.Getpid())
		r, err := mcp.New(mcp.Options{Worker: worker, Config: &mcp.Config{
			Servers: map[string]mcp.Server{"fake": {Type: "stdio", Command: path, Env: map[string]string{fakeEnv: "1"}, Sessions: sessions}},
		}})
		if err != nil {
			b.Fatal(err)
		}
		dir := b.TempDir()
		objects, err := file.Open(dir, file.Options{MinFree: -1})
		if err != nil {
			b.Fatal(err)
		}
		archive, err := logfiles.Open(dir+"/logs", 0)
		if err != nil {
			b.Fatal(err)
		}
		for i := range queued {
			if _, err := objects.Create(b.Context(), &v1.Job{
				TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
				ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("job-", i), Namespace: "acme"},
				Spec:       v1.JobSpec{Type: v1.JobTypeBuild, Build: &v1.BuildAction{Action: "pid"}},
				Status:     v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued},
			}); err != nil {
				b.Fatal(err)
			}
		}
		page, err := objects.List(b.Context(), store.ListOptions{Kind: v1.KindJob, Limit: 1})
		if err != nil {
			b.Fatal(err)
		}
		watch, err := objects.Watch(b.Context(), store.WatchOptions{Kind: v1.KindJob, Since: page.ResourceVersion})
		if err != nil {
			b.Fatal(err)
		}
		c, err := job.New(job.Options{
			Store: objects, Logs: archive, Worker: worker, MaxConcurrent: 2 * sessions, Log: logr.Discard(),
			Actions: action.Set{r.Type()},
		})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error, 1)
		b.StartTimer()
		go func() { done <- c.Run(ctx) }()
		for ended := 0; ended < queued; {
			changes, err := watch.Next(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			for _, change := range changes {
				phase, err := change.Record.Phase()
				if err != nil || phase == v1.JobFailed {
					b.Fatal(phase, err)
				}
				if !phase.Terminal() {
					continue
				}
				if ended++; ended%250 == 100 {
					most = max(most, processes(b, worker))
				}
			}
		}
		b.StopTimer()
		memory = max(memory, resident(b, "self"))
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
		r.Close()
		archive.Close()
		if err := objects.Close(); err != nil {
			b.Error(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(queued*b.N)/b.Elapsed().Seconds(), "jobs/s")
	b.ReportMetric(float64(most), "processes")
	b.ReportMetric(memory, "MiB")
}

// processes is how many servers of a worker run.
func processes(b *testing.B, worker string) int {
	b.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		b.Skip("processes are counted in /proc: needs Linux")
	}
	n := 0
	for _, entry := range entries {
		if env, err := os.ReadFile("/proc/" + entry.Name() + "/environ"); err == nil && strings.Contains(string(env), "JOBWRIGHT_WORKER="+worker+"\x00") {
			n++
		}
	}
	return n
}

// resident is the memory of a process in MiB.
func resident(b *testing.B, pid string) float64 {
	b.Helper()
	data, err := os.ReadFile("/proc/" + pid + "/statm")
	if err != nil {
		b.Skip("memory is read from /proc: needs Linux")
	}
	var size, pages int
	if _, err := fmt.Sscan(string(data), &size, &pages); err != nil {
		b.Fatal(err)
	}
	return float64(pages*os.Getpagesize()) / (1 << 20)
}

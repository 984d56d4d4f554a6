package interruptions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
)

// testTime is a time of no meaning.
var testTime = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)

// server is the product, which a cell stops and starts again over the same data folder.
type server struct {
	t       *testing.T
	program string
	dir     string // data folder and compose root
	host    string // DOCKER_HOST
	cmd     *exec.Cmd
	ended   chan struct{}
	address string
	log     journal
}

// journal is what the server has written to its log.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

var serving = regexp.MustCompile(`address=(http://[0-9.:]+)`)

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(filepath.Join(s.program, "jobwright"), "serve", "--listen=127.0.0.1:0", "--data-dir="+filepath.Join(s.dir, "data"), "--compose-root="+filepath.Join(s.dir, "root"),
		"--shutdown-grace=100ms", "--cancel-grace=4s", "--allow-private-addresses", "--min-free-bytes=-1")
	s.cmd.Env = append(os.Environ(), "DOCKER_HOST="+s.host)
	before := len(s.log.String())
	s.cmd.Stderr = &s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait() // what it logged says why
		close(ended)
	}(s.cmd, s.ended)
	s.until("the server serves", func() bool {
		if closed(s.ended)() {
			s.t.Fatalf("the server has ended:\n%s", s.log.String())
		}
		m := serving.FindStringSubmatch(s.log.String()[before:])
		if m != nil {
			s.address = m[1]
		}
		return m != nil
	})
}

// end sends a signal and waits for the server's end.
func (s *server) end(sig syscall.Signal) {
	s.t.Helper()
	_ = s.cmd.Process.Signal(sig) // it may have ended
	select {
	case <-s.ended:
	case <-time.After(time.Minute):
		_ = s.cmd.Process.Kill()
		s.t.Errorf("the server did not end on %v:\n%s", sig, s.log.String())
	}
}

// patience bounds each thing that a cell waits for.
const patience = 2 * time.Minute

func (s *server) until(what string, done func() bool) {
	s.t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(patience); !done(); <-look.C {
		if time.Now().After(end) {
			s.t.Fatalf("not within %s: %s\n%s", patience, what, s.log.String())
		}
	}
}

func (s *server) call(method, path string, body any) (int, []byte) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.address+"/apis/jobwright.dev/v1/namespaces/default/jobs"+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", map[string]string{http.MethodPatch: "application/merge-patch+json"}[method])
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, []byte(err.Error())
	}
	return response.StatusCode, answer
}

func (s *server) create(name string, deploy *v1.DeployAction) {
	s.t.Helper()
	job := &v1.Job{Spec: v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: deploy}}
	job.APIVersion, job.Kind, job.Name = v1.APIVersion, v1.KindJob, name
	if code, answer := s.call(http.MethodPost, "", job); code != http.StatusCreated {
		s.t.Fatalf("create %s: %d %s", name, code, answer)
	}
}

func (s *server) patch(name string, spec map[string]any) {
	s.t.Helper()
	if code, answer := s.call(http.MethodPatch, "/"+name, map[string]any{"spec": spec}); code != http.StatusOK {
		s.t.Fatalf("patch %s: %d %s", name, code, answer)
	}
}

func (s *server) job(name string) *v1.Job {
	s.t.Helper()
	code, answer := s.call(http.MethodGet, "/"+name, nil)
	job := &v1.Job{}
	if code != http.StatusOK {
		return job // it is being started
	}
	if err := json.Unmarshal(answer, job); err != nil {
		s.t.Fatal(err)
	}
	return job
}

// finished waits for a job's end.
func (s *server) finished(name string) *v1.Job {
	s.t.Helper()
	var job *v1.Job
	s.until(name+" ends", func() bool {
		job = s.job(name)
		return job.Status.Phase.Terminal()
	})
	return job
}

// output is a job's log.
func (s *server) output(name string) string {
	s.t.Helper()
	_, text := s.call(http.MethodGet, "/"+name+"/log", nil)
	return string(text)
}

// left are the processes of the server's worker.
func (s *server) left() []string {
	s.t.Helper()
	worker, err := os.ReadFile(filepath.Join(s.dir, "data", "worker-id"))
	if err != nil {
		s.t.Fatal(err)
	}
	mark := []byte("JOBWRIGHT_WORKER=" + strings.TrimSpace(string(worker)) + "\x00")
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, path := range environments {
		if environment, err := os.ReadFile(path); err == nil && bytes.Contains(append(environment, 0), mark) {
			name, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline")) // it may be gone
			out = append(out, fmt.Sprintf("%s %q", path, name))
		}
	}
	return out
}

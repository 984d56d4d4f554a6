package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"jobwright.dev/api/server/servertest"
)

// TestAStuckQueueFiresInPrometheus lets a real Prometheus scrape a real server whose
// queue is stuck: two jobs of an old file are imported, the first takes the only slot
// and does not end, the second has been waiting for two hours. The rules are those of
// manifests/prometheus, but for their `for`, which would take minutes, and so is the
// configuration, but for its interval and addresses; it has the alert sent on.
func TestAStuckQueueFiresInPrometheus(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	needCommand(t, "prometheus")
	k := &killed{t: t, bin: t.TempDir(), dir: t.TempDir(), address: servertest.Address(t)}
	k.build()
	long := time.Now().Add(-2 * time.Hour).UnixMilli()
	write := func(name, text string) string {
		path := filepath.Join(k.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("mcp.json", `{"mcpServers":{"silent":{"command":"tail","args":["-f","/dev/null"]}}}`)
	old := write("old.json", fmt.Sprintf(`{"jobs":[
		{"id":"%[1]d-AAAAAA","type":"build","workspaceId":"acme","payload":{"action":"x"},"status":"running","logs":["so far"],"createdAt":%[1]d,"updatedAt":%[1]d},
		{"id":"%[2]d-BBBBBB","type":"build","workspaceId":"acme","payload":{"action":"x"},"status":"queued","logs":[],"createdAt":%[2]d,"updatedAt":%[2]d},
		{"id":"%[2]d-CCCCCC","type":"api_call","workspaceId":"acme","payload":{"a":1},"status":"succeeded","pct":100,"logs":["old line"],"createdAt":%[2]d,"updatedAt":%[2]d}]}`,
		long, long+1))
	data := filepath.Join(k.dir, "data")
	for _, want := range []string{"3 jobs imported, 0 were there already; ", "0 jobs imported, 3 were there already; "} {
		if got := k.jobwright("import", "--data-dir", data, old); !strings.HasPrefix(got, want) {
			t.Errorf("import said %q, want it to begin with %q", got, want)
		}
	}
	t.Setenv("JOBWRIGHT_MAX_CONCURRENT_JOBS", "1")
	k.start()
	t.Cleanup(func() {
		_ = k.cmd.Process.Kill()
		_ = k.cmd.Wait()
	})
	k.ready()
	done := fmt.Sprintf("%d-cccccc", long+1)
	if got := k.jobwright("get", "job", done, "-n", "acme", "-o", "jsonpath={.status.phase} {.status.reason}"); got != "Succeeded Imported\n" {
		t.Errorf("the finished job came over as %q", got)
	}
	if got := k.jobwright("logs", done, "-n", "acme"); got != "old line\n" {
		t.Errorf("its log came over as %q", got)
	}

	rules, err := os.ReadFile("../../manifests/prometheus/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write("rules.yaml", regexp.MustCompile(`(?m)^(\s+for:).*$`).ReplaceAllString(string(rules), "$1 0s"))
	shipped, err := os.ReadFile("../../manifests/prometheus/prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan string, 1)
	manager := alertManager(t, "JobwrightQueueStuck", sent)
	config := write("prometheus.yml", strings.NewReplacer("15s", "1s", "127.0.0.1:8080", k.address, "127.0.0.1:9093", manager).Replace(string(shipped)))
	address := servertest.Address(t)
	prometheus := exec.CommandContext(t.Context(), "prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(k.dir, "tsdb"), "--web.listen-address="+address)
	var said strings.Builder
	prometheus.Stderr = &said
	if err := prometheus.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = prometheus.Process.Kill()
		_ = prometheus.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	firing(t, "http://"+address+"/api/v1/alerts", "JobwrightQueueStuck")
	select {
	case <-sent:
	case <-time.After(time.Minute):
		t.Error("the alert fires and is sent to nobody")
	}
}

// TestTheServerHasEveryMetricOfTheRules: a rule about a metric that no server has never
// fires, and nobody notices.
func TestTheServerHasEveryMetricOfTheRules(t *testing.T) {
	k, _ := newKilled(t)
	if err := os.WriteFile(filepath.Join(k.dir, "mcp.json"), []byte(`{"mcpServers":{"silent":{"command":"tail","args":["-f","/dev/null"]}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	k.flags = []string{"--max-concurrent-jobs=1"}
	k.start()
	k.ready()
	k.jobwright("run", "api-call", "--name", "recorded")
	for _, name := range []string{"runs", "waits"} {
		k.jobwright("run", "build", "x", "--name", name, "--detach")
	}
	for _, begun := range []string{`jobwright_jobs{phase="Queued",type="build",workspace="default"} 1`, `jobwright_job_oldest_progress_age_seconds{type="build"`, "jobwright_jobs_oldest_queued_age_seconds{"} {
		k.until("/metrics", begun)
	}
	_, told := k.fetch(http.MethodGet, "/metrics", "")
	if !strings.Contains(told, `jobwright_build_info{goversion="go`) {
		t.Error("the metrics do not tell which build serves")
	}
	rules, err := os.ReadFile("../../manifests/prometheus/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`\b(jobwright|process)_[a-z_]+`).FindAllString(string(rules), -1) {
		if !strings.Contains(told, "\n# TYPE "+strings.TrimSuffix(name, "_count")+" ") {
			t.Errorf("the server has no %s", name)
		}
	}
}

// alertManager takes alerts as Alertmanager's API does, and tells when one of that name
// was among them. It returns its address.
func alertManager(t *testing.T, name string, sent chan<- string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var alerts []struct {
			Labels map[string]string `json:"labels"`
		}
		if r.Method != http.MethodPost || r.URL.Path != "/api/v2/alerts" || json.NewDecoder(r.Body).Decode(&alerts) != nil {
			http.Error(w, "not an alert", http.StatusBadRequest)
			return
		}
		for _, alert := range alerts {
			if alert.Labels["alertname"] == name {
				select {
				case sent <- name:
				default:
				}
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// firing waits until Prometheus says that an alert fires.
func firing(t *testing.T, url, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("%s does not fire", name)
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue // Prometheus is starting
		}
		var answer struct {
			Data struct {
				Alerts []struct {
					Labels map[string]string `json:"labels"`
					State  string            `json:"state"`
				} `json:"alerts"`
			} `json:"data"`
		}
		err = json.NewDecoder(response.Body).Decode(&answer)
		response.Body.Close()
		if err != nil {
			continue // not ready yet
		}
		for _, alert := range answer.Data.Alerts {
			if alert.Labels["alertname"] == name && alert.State == "firing" {
				return
			}
		}
	}
}

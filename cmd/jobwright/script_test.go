package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"jobwright.dev/api/server/servertest"
)

// TestMain lets the test binary be jobwright for the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"jobwright": main, "demo-mcp": demoMCP})
}

// TestScripts runs the stories in testdata/script: commands, their input and what they
// say, against a real server of their own each.
//
// Beside testscript's own commands there are
//
//	server [flags]   starts jobwright serve and waits until it is ready
//	stop             ends it, as SIGTERM does
//	hangup           sends it SIGHUP
//	code N cmd …     runs a command that must end with exit code N
//	until text cmd … runs a command until its output has the text
//	app-image TAG M  makes a docker image whose program waits (M: serve) or fails (M: fail)
//
// and the condition [engine]: there is a docker engine with compose.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			address, release, err := servertest.Reserve()
			if err != nil {
				return err
			}
			env.Defer(release)
			env.Setenv("ADDRESS", address)
			env.Setenv("JOBWRIGHT_SERVER", "http://"+address)
			env.Setenv("JOBWRIGHT_CONFIG_DIR", filepath.Join(env.WorkDir, "config"))
			return setupDocker(env)
		},
		Condition: func(name string) (bool, error) {
			if name != "engine" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			err := engineOnce()
			if err != nil && os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" {
				return false, err
			}
			return err == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server": startServer, "stop": stopServer, "code": exitCode, "until": untilOutput,
			"app-image": appImage, "hangup": hangUp,
		},
	})
}

// servers are those that run, by story; stories run in parallel.
var (
	serversMu sync.Mutex
	servers   = map[string]*exec.Cmd{}
)

func setServer(ts *testscript.TestScript, cmd *exec.Cmd) {
	serversMu.Lock()
	defer serversMu.Unlock()
	servers[ts.Name()] = cmd
}

func running(ts *testscript.TestScript) *exec.Cmd {
	serversMu.Lock()
	defer serversMu.Unlock()
	return servers[ts.Name()]
}

func startServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("! server makes no sense; use code")
	}
	program, err := lookIn(ts.Getenv("PATH"), "jobwright")
	if err != nil {
		ts.Fatalf("%v", err)
	}
	cmd := exec.Command(program, append([]string{
		"serve", "--listen", ts.Getenv("ADDRESS"), "--data-dir", ts.MkAbs("data"), "--min-free-bytes=-1", "--shutdown-grace=0s",
	}, args...)...)
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "WORK", "DOCKER_CONFIG", "DOCKER_HOST"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	cmd.Dir = ts.MkAbs(".")
	log, err := os.Create(ts.MkAbs("server.log"))
	if err != nil {
		ts.Fatalf("%v", err)
	}
	defer log.Close()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		ts.Fatalf("%v", err)
	}
	setServer(ts, cmd)
	ts.Defer(func() {
		if running(ts) == cmd {
			stopServer(ts, false, nil)
		}
	})
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, ts.Getenv("JOBWRIGHT_SERVER")+"/readyz", nil)
		if err != nil {
			ts.Fatalf("%v", err)
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			ts.Fatalf("the server did not come up:\n%s", ts.ReadFile("server.log"))
		}
	}
}

func stopServer(ts *testscript.TestScript, _ bool, _ []string) {
	cmd := running(ts)
	if cmd == nil {
		ts.Fatalf("no server runs")
	}
	setServer(ts, nil)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		ts.Fatalf("%v", err)
	}
	if err := cmd.Wait(); err != nil {
		ts.Fatalf("the server ended with %v:\n%s", err, ts.ReadFile("server.log"))
	}
}

func hangUp(ts *testscript.TestScript, _ bool, _ []string) {
	cmd := running(ts)
	if cmd == nil {
		ts.Fatalf("no server runs")
	}
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		ts.Fatalf("%v", err)
	}
}

func lookIn(path, program string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if candidate := filepath.Join(dir, program); isFile(candidate) {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("no %s in %s", program, path)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: code N command…")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Exec returns it as it is
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("%s ended with exit code %d, want %s", strings.Join(args[1:], " "), code, args[0])
	}
}

func untilOutput(ts *testscript.TestScript, _ bool, args []string) {
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for {
		_ = ts.Exec(args[1], args[2:]...) // it may fail until it does not
		if strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
		select {
		case <-look.C:
		case <-deadline.C:
			ts.Fatalf("%s never said %q", strings.Join(args[1:], " "), args[0])
		}
	}
}

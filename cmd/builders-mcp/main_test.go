package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// beCommand makes the test's binary the command, so that tests start real processes.
const beCommand = "BUILDERS_MCP_BE_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(beCommand) != "" {
		main()
		return
	}
	if dir := os.Getenv(beWriter); dir != "" {
		os.Exit(applyAsProgram(dir))
	}
	os.Exit(m.Run())
}

// command is builders-mcp with arguments, not started.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), beCommand+"=1")
	return cmd
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args     []string
		code     int
		out, err string // regular expressions
	}{
		"the version":                          {[]string{"--version"}, 0, `^builders-mcp v\S+ \(go\S+, \w+/\w+\)\n$`, `^$`},
		"help":                                 {[]string{"--help"}, 0, `^$`, `(?s)Usage:.*--root DIR.*-http address`},
		"an unknown flag":                      {[]string{"--roof", "x"}, 2, `^$`, `(?s)not defined: -roof\n.*Usage:.*-root`},
		"a flag without its value":             {[]string{"--root"}, 2, `^$`, `(?s)needs an argument: -root\n.*Usage:`},
		"an argument":                          {[]string{"app"}, 2, `^$`, `(?s)unexpected argument: app\n.*Usage:`},
		"a root that is a file":                {[]string{"--root", file}, 1, `^$`, `^builders-mcp: --root: .*file: not a directory\n$`},
		"a client that says nothing":           {[]string{"--root", filepath.Join(dir, "app")}, 0, `^$`, `^$`},
		"an address that is no loopback":       {[]string{"--root", dir, "--http", "192.0.2.1:0"}, 1, `^$`, `--http "192.0.2.1:0": only loopback .*127.0.0.1:0`},
		"an address without a host":            {[]string{"--root", dir, "--http", ":8090"}, 1, `^$`, `--http ":8090": only loopback .*127.0.0.1:8090`},
		"an address without a port":            {[]string{"--root", dir, "--http", "127.0.0.1"}, 1, `^$`, `--http "127.0.0.1": .*missing port`},
		"a client that speaks something else":  {[]string{"--root", dir}, 1, `^$`, `^builders-mcp: .*invalid character`},
		"an address in use or not to be taken": {[]string{"--root", dir, "--http", "127.0.0.1:" + inUse(t)}, 1, `^$`, `--http "127.0.0.1:\d+": .*in use`},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command(t, test.args...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if strings.Contains(name, "something else") {
				cmd.Stdin = strings.NewReader("hello\n")
			}
			_ = cmd.Run() // the code tells
			if code := cmd.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !regexp.MustCompile(test.out).Match(stdout.Bytes()) {
				t.Errorf("output %q, want %s", &stdout, test.out)
			}
			if !regexp.MustCompile(test.err).Match(stderr.Bytes()) {
				t.Errorf("errors %q, want %s", &stderr, test.err)
			}
		})
	}
}

// TestRunHasItsOwnStreams runs the command in this process, as other tests cannot: its
// output is the caller's to close.
func TestRunHasItsOwnStreams(t *testing.T) {
	out, w := io.Pipe()
	defer out.Close()
	code := run(context.Background(), []string{"--root", t.TempDir()}, stdio{io.NopCloser(strings.NewReader("")), w, io.Discard})
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	go w.Write([]byte("still open"))
	if _, err := io.ReadFull(out, make([]byte, len("still open"))); err != nil {
		t.Errorf("the output was closed: %v", err)
	}
}

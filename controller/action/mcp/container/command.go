package container

import (
	"path/filepath"
	"slices"
	"strings"
)

// The labels of a container.
const (
	WorkerLabel  = "jobwright.dev/worker"
	runLabel     = "jobwright.dev/worker-run"
	sessionLabel = "jobwright.dev/mcp-session"
)

// Engine is a client of a container engine, as a server's command names it.
type Engine struct {
	// Program is the client, Global its arguments before the subcommand, e.g. --context.
	Program string
	Global  []string
	// Env is added to the client's environment, Dir is where it runs.
	Env []string
	Dir string
}

// Global flags of docker and podman that stand before the subcommand. The others are not
// understood, for they may take the next argument as their value.
var (
	valued = []string{"--config", "-c", "--context", "-H", "--host", "-l", "--log-level", "--tlscacert", "--tlscert", "--tlskey", "--connection", "--url", "--root", "--runroot", "--storage-driver"}
	plain  = []string{"-D", "--debug", "--tls", "--tlsverify", "-r", "--remote"}
)

// Of returns the engine of a command that runs a container, and where in its arguments run
// stands; false: it is no such command, or none that is understood.
func Of(program string, args []string) (engine Engine, run int, ok bool) {
	if name := filepath.Base(program); name != "docker" && name != "podman" {
		return Engine{}, 0, false
	}
	at := 0
	for at < len(args) && strings.HasPrefix(args[at], "-") {
		switch {
		case strings.HasPrefix(args[at], "--") && strings.Contains(args[at], "="), slices.Contains(plain, args[at]):
			at++
		case slices.Contains(valued, args[at]):
			at += 2
		default:
			return Engine{}, 0, false
		}
	}
	global := args[:min(at, len(args))]
	if at < len(args) && args[at] == "container" {
		at++
	}
	if at >= len(args) || args[at] != "run" {
		return Engine{}, 0, false
	}
	return Engine{Program: program, Global: slices.Clone(global)}, at, true
}

// Labelled is the arguments of a command that runs a container, with labels. at is where
// run stands in them.
func Labelled(args []string, at int, worker, run, session string) []string {
	return slices.Insert(slices.Clone(args), at+1,
		"--label", WorkerLabel+"="+worker, "--label", runLabel+"="+run, "--label", sessionLabel+"="+session)
}

// Foreign reports whether a command is the client of something that goes on without it, so
// that the end of its process proves nothing.
func Foreign(program string) bool {
	return slices.Contains([]string{"docker", "podman", "nerdctl", "docker-compose", "podman-compose", "kubectl", "ssh"}, filepath.Base(program))
}

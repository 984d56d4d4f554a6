package container_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/controller/action/mcp/container"
)

func TestCommandsThatRunAContainer(t *testing.T) {
	const labels = " --label jobwright.dev/worker=w --label jobwright.dev/worker-run=r --label jobwright.dev/mcp-session=s"
	for name, tc := range map[string]struct{ command, global, want string }{
		"docker run":               {"docker run -i --rm image", "", "run" + labels + " -i --rm image"},
		"by its path":              {"/usr/bin/docker run -i image", "", "run" + labels + " -i image"},
		"podman run":               {"podman run -i image", "", "run" + labels + " -i image"},
		"docker container run":     {"docker container run -i image", "", "container run" + labels + " -i image"},
		"with a context":           {"docker --context far run -i image", "--context far", "--context far run" + labels + " -i image"},
		"with a host":              {"docker --host=tcp://h:1 -D run -i image", "--host=tcp://h:1 -D", "--host=tcp://h:1 -D run" + labels + " -i image"},
		"a context of that name":   {"docker -c run run -i image", "-c run", "-c run run" + labels + " -i image"},
		"an unknown flag":          {"docker --new thing run image", "", ""},
		"docker exec":              {"docker exec -i box server", "", ""},
		"docker compose run":       {"docker compose run -T server", "", ""},
		"a shell":                  {"sh -c docker_run", "", ""},
		"a program of another kin": {"node run", "", ""},
		"nothing":                  {"docker", "", ""},
		"a flag without its value": {"docker --context", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			words := strings.Fields(tc.command)
			engine, run, ok := container.Of(words[0], words[1:])
			if ok != (tc.want != "") {
				t.Fatalf("ok %t", ok)
			}
			if !ok {
				return
			}
			if diff := cmp.Diff(tc.want, strings.Join(container.Labelled(words[1:], run, "w", "r", "s"), " ")); diff != "" {
				t.Errorf("arguments (-want +got):\n%s", diff)
			}
			if got := strings.Join(engine.Global, " "); got != tc.global || engine.Program != words[0] {
				t.Errorf("engine %+v, want %q", engine, tc.global)
			}
		})
	}
}

package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatAServerThatDoesNotStartLacks(t *testing.T) {
	project, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "opt", "vendor", "servers")
	for name, text := range map[string]string{
		"tools/geo/package.json":                      `{"scripts":{"build":"tsc"}}`,
		"tools/built/package.json":                    `{"scripts":{"build":"tsc"}}`,
		"tools/built/node_modules/x/package.json":     `{}`,
		"tools/built/dist/index.js":                   "",
		"tools/plain/package.json":                    `{"scripts":{"test":"x"}}`,
		"Makefile":                                    "run:\n\nbuild: ## builds\n\tgo build\n",
		"script.sh":                                   "",
		filepath.Join(elsewhere, "node/package.json"): `{"scripts":{"build":"tsc"}}`,
	} {
		if !filepath.IsAbs(name) {
			name = filepath.Join(project, name)
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const or = ", or correct the path in the operator's mcp.json"
	for name, tc := range map[string]struct {
		command string
		args    []string
		want    string
	}{
		"a script of a package that was not built": {"sh", []string{"tools/geo/dist/index.js"}, "tools/geo/dist/index.js does not exist: build it with `npm install && npm run build` in tools/geo" + or},
		"a script of a package that is installed":  {"sh", []string{"--flag", "tools/built/dist/other.js"}, "tools/built/dist/other.js does not exist: build it with `npm run build` in tools/built" + or},
		"a script behind an absolute path":         {"sh", []string{filepath.Join(project, "tools/geo/dist/index.js")}, "tools/geo/dist/index.js does not exist: build it with `npm install && npm run build` in tools/geo" + or},
		"a script elsewhere":                       {"sh", []string{filepath.Join(elsewhere, "node/dist/index.js")}, "…/node/dist/index.js does not exist: build it with `npm install && npm run build` in …/vendor/servers/node" + or},
		"a program that make builds":               {filepath.Join(project, "bin/builders-mcp"), nil, "bin/builders-mcp does not exist: build it with `make build`" + or},
		"a package without a build":                {filepath.Join(project, "tools/plain/x.js"), nil, "tools/plain/x.js does not exist: build it with `make build`" + or},
		"a program that is in no PATH":             {"no-such-program", nil, "the program no-such-program is not installed on the server's machine, or not in its PATH: install it, or give its path in the operator's mcp.json"},
		"a program that is no program":             {filepath.Join(project, "script.sh"), nil, "script.sh is not executable: chmod +x it, or name the program that runs it as the command in the operator's mcp.json"},
		"a folder":                                 {filepath.Join(project, "tools"), nil, "tools is a folder: give the path of the program in it, in the operator's mcp.json"},
		"nothing":                                  {"sh", []string{"tools/built/dist/index.js", "tools/geo/dist/index.js"}, ""},
		"an argument that is no path":              {"sh", []string{"-c", "index.js"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := Server{Type: TypeStdio, Command: tc.command, Args: tc.args, Cwd: project}.Missing()
			if err == nil && tc.want != "" || err != nil && err.Error() != tc.want {
				t.Errorf("it says %v\nwant    %s", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), elsewhere) {
				t.Error("it shows a path of the machine")
			}
		})
	}
	if err := (Server{Type: TypeHTTP, URL: "http://x"}).Missing(); err != nil {
		t.Error(err)
	}
}

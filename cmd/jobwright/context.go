package main

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store/filedb"
)

// settings say which server and workspace a command means.
type settings struct {
	Server    string `json:"server,omitempty"`
	Workspace string `json:"workspace,omitempty"`
}

// contexts is the context file.
type contexts struct {
	Current  string              `json:"current,omitempty"`
	Contexts map[string]settings `json:"contexts,omitempty"`
}

// contextFile is where the context file stands: $JOBWRIGHT_CONFIG_DIR, or the user's
// folder for configuration.
func contextFile() (string, error) {
	if dir := os.Getenv("JOBWRIGHT_CONFIG_DIR"); dir != "" {
		return filepath.Join(dir, "contexts.yaml"), nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "jobwright", "contexts.yaml"), nil
}

func readContexts() (contexts, error) {
	var known contexts
	path, err := contextFile()
	if err != nil {
		return known, nil //nolint:nilerr // no home folder, no context file
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	if err != nil {
		return known, err
	}
	if problems := inFile(path, strict.Unmarshal(data, &known)); len(problems) > 0 {
		return known, errors.Join(problems...)
	}
	return known, nil
}

func (k contexts) write() error {
	path, err := contextFile()
	if err != nil {
		return err
	}
	data, err := strict.Marshal(k)
	if err != nil {
		return err
	}
	return filedb.WriteBytes(path, data)
}

// settings are what flags, environment, context file and defaults say, in this order.
func (c *cli) settings() (settings, error) {
	known, err := readContexts()
	if err != nil {
		return settings{}, err
	}
	name := cmp.Or(c.context, os.Getenv("JOBWRIGHT_CONTEXT"), known.Current)
	file, ok := known.Contexts[name]
	if name != "" && !ok {
		return settings{}, usagef("context %q is not in the context file; it has: %v", name, slices.Sorted(maps.Keys(known.Contexts)))
	}
	return settings{
		Server:    cmp.Or(c.server, os.Getenv("JOBWRIGHT_SERVER"), file.Server, "http://127.0.0.1:8080"),
		Workspace: cmp.Or(c.workspace, os.Getenv("JOBWRIGHT_WORKSPACE"), file.Workspace, v1.DefaultWorkspace),
	}, nil
}

func newContext(c *cli) *cobra.Command {
	command := &cobra.Command{
		Use:   "context",
		Short: "Show and set which server and workspace commands use",
		Example: `  jobwright context set prod --server https://jobs.example.com --workspace acme
  jobwright context use prod
  jobwright context`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			known, err := readContexts()
			if err != nil {
				return err
			}
			table := newTable(c.out, "CURRENT", "NAME", "SERVER", "WORKSPACE")
			for _, name := range slices.Sorted(maps.Keys(known.Contexts)) {
				mark := ""
				if name == known.Current {
					mark = "*"
				}
				table.row(mark, name, known.Contexts[name].Server, known.Contexts[name].Workspace)
			}
			return table.flush()
		},
	}
	command.AddCommand(
		&cobra.Command{
			Use: "set NAME", Short: "Store --server and --workspace under a name, and use it", Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error {
				return changeContexts(func(known *contexts) error {
					if known.Contexts == nil {
						known.Contexts = map[string]settings{}
					}
					known.Contexts[args[0]] = settings{Server: c.server, Workspace: c.workspace}
					known.Current = args[0]
					return nil
				})
			},
		},
		&cobra.Command{
			Use: "use NAME", Short: "Use a stored context from now on", Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error {
				return changeContexts(func(known *contexts) error {
					if _, ok := known.Contexts[args[0]]; !ok {
						return usagef("context %q is not in the context file; it has: %v", args[0], slices.Sorted(maps.Keys(known.Contexts)))
					}
					known.Current = args[0]
					return nil
				})
			},
		},
		&cobra.Command{
			Use: "delete NAME", Short: "Forget a stored context", Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error {
				return changeContexts(func(known *contexts) error {
					delete(known.Contexts, args[0])
					if known.Current == args[0] {
						known.Current = ""
					}
					return nil
				})
			},
		},
	)
	return command
}

func changeContexts(change func(*contexts) error) error {
	known, err := readContexts()
	if err != nil {
		return err
	}
	if err := change(&known); err != nil {
		return err
	}
	return known.write()
}

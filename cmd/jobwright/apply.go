package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	v1 "jobwright.dev/api/v1"
)

func newApply(c *cli) *cobra.Command {
	var files []string
	var output string
	command := &cobra.Command{
		Use:   "apply -f FILE…",
		Short: "Make objects what manifests say: create them, or change what is there",
		Long: `Apply reads manifests (YAML or JSON; files, folders, "-" for standard input; several
documents in each) and makes the objects on the server what they say. Nothing is sent
unless every document can be read; all problems are said at once, with lines. What YAML
readers disagree about (no, on, 0123; keys such as n or 1) is refused unless it is quoted.
An object whose manifest names no workspace goes to --workspace.`,
		Example: `  jobwright apply -f job.yaml
  jobwright apply -f manifests/ -f extra.yaml
  generate-jobs | jobwright apply -f -`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(files) == 0 {
				return usagef("name manifests with -f")
			}
			if output != "" && output != "name" && output != "yaml" && output != "json" {
				return usagef("--output %q: supported values: name, yaml, json", output)
			}
			server, err := c.connect()
			if err != nil {
				return err
			}
			docs, err := c.readManifests(files)
			if err != nil {
				return err
			}
			var problems []error
			for _, doc := range docs {
				c.intoWorkspace(doc.obj)
				result, applied, err := server.Apply(cmd.Context(), doc.obj)
				if err != nil {
					problems = append(problems, fmt.Errorf("%s: %w", doc.where, err))
					continue
				}
				if err := c.printApplied(applied, string(result), output); err != nil {
					return err
				}
			}
			return errors.Join(problems...)
		},
	}
	command.Flags().StringArrayVarP(&files, "filename", "f", nil, `file, folder or "-"; may be given several times`)
	command.Flags().StringVarP(&output, "output", "o", "", "name, yaml or json instead of what was done")
	return command
}

// intoWorkspace gives an object that names no workspace the command's.
func (c *cli) intoWorkspace(obj v1.Object) {
	kind, _ := c.kinds.Of(obj)
	if kind.Namespaced && obj.GetNamespace() == "" {
		obj.SetNamespace(c.workspace)
	}
}

func (c *cli) printApplied(obj v1.Object, result, output string) error {
	if output != "" {
		return printObject(c.out, obj, output)
	}
	_, err := fmt.Fprintf(c.out, "%s %s\n", fullName(obj), result)
	return err
}

// fullName is kind/name as commands take it.
func fullName(obj v1.Object) string {
	return strings.ToLower(obj.GetObjectKind().GroupVersionKind().Kind) + "/" + obj.GetName()
}

// printObject prints one object in a machine's format.
func printObject(out io.Writer, obj v1.Object, output string) error {
	switch output {
	case "name":
		_, err := fmt.Fprintln(out, fullName(obj))
		return err
	case "json":
		return printJSON(out, obj)
	default:
		data, err := toYAML(obj)
		if err == nil {
			_, err = out.Write(data)
		}
		return err
	}
}

// now is when a table's ages are counted from.
func now() time.Time { return time.Now() }

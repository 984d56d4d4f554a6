package objects

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
	"jobwright.dev/cmd/jobwright/selection"
)

type getOptions struct {
	print.Options
	selector string
	fields   string
	watch    bool
}

func newGet(c *cli.Invocation) *cobra.Command {
	var o getOptions
	command := &cobra.Command{
		Use:   "get [KIND] [NAME…]",
		Short: "Show objects: a table, or yaml, json, names, a jsonpath",
		Example: `  jobwright get jobs
  jobwright get jobs -w -l team=web
  jobwright get job add-health-route -o yaml
  jobwright get job add-health-route -o jsonpath='{.status.phase}'
  jobwright get jobs -A --field-selector status.phase=Failed -o wide`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: selection.CompleteObjects(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{v1.ResourceJobs}
			}
			show, err := print.NewObjects(c.Out, o.Options)
			if err != nil {
				return err
			}
			server, err := c.Connect()
			if err != nil {
				return err
			}
			if len(args) == 1 && !strings.Contains(args[0], "/") {
				kind, err := selection.Kind(c, args[0])
				if err != nil {
					return err
				}
				return getList(c, cmd, server, kind, o, show)
			}
			return getNamed(c, cmd, server, args, o, show)
		},
	}
	flags := command.Flags()
	flags.StringVarP(&o.Output, "output", "o", "", "wide, yaml, json, name or jsonpath=TEMPLATE")
	cli.CompleteValues(command, "output", "wide", "yaml", "json", "name", "jsonpath=")
	flags.StringVarP(&o.selector, "selector", "l", "", "label selector, e.g. team=web")
	flags.StringVar(&o.fields, "field-selector", "", "field selector, e.g. status.phase=Failed")
	flags.BoolVarP(&o.Workspaces, "all-workspaces", "A", false, "objects of all workspaces")
	flags.BoolVarP(&o.watch, "watch", "w", false, "go on and show changes")
	flags.BoolVar(&o.NoHeader, "no-headers", false, "no line of column names")
	return command
}

func getList(c *cli.Invocation, cmd *cobra.Command, server *client.Client, kind v1.Kind, o getOptions, show *print.Objects) error {
	namespace := c.Workspace
	if o.Workspaces || !kind.Namespaced {
		namespace = ""
	}
	list, err := selection.List(cmd.Context(), server, kind, client.ListOptions{Namespace: namespace, LabelSelector: o.selector, FieldSelector: o.fields})
	if err != nil {
		return err
	}
	if len(list.Items) == 0 && !o.watch && show.Table() {
		where := fmt.Sprintf(" in workspace %s", namespace)
		if namespace == "" {
			where = ""
		}
		fmt.Fprintf(c.Err, "No %s found%s.\n", kind.Resource, where)
		return nil
	}
	if err := show.List(kind, list.Items); err != nil || !o.watch {
		return err
	}
	return getWatch(cmd, server, kind, client.WatchOptions{Namespace: namespace, LabelSelector: o.selector, ResourceVersion: list.ResourceVersion}, show)
}

func getWatch(cmd *cobra.Command, server *client.Client, kind v1.Kind, opts client.WatchOptions, show *print.Objects) error {
	for event, err := range server.Watch(cmd.Context(), kind, opts) {
		if cmd.Context().Err() != nil {
			return nil // the person has seen enough
		}
		if err != nil {
			return err
		}
		if err := show.One(kind, event.Object); err != nil {
			return err
		}
	}
	return nil
}

func getNamed(c *cli.Invocation, cmd *cobra.Command, server *client.Client, args []string, o getOptions, show *print.Objects) error {
	keys, err := selection.Keys(c, args)
	if err != nil {
		return err
	}
	if o.watch && len(keys) != 1 {
		return cli.Usagef("--watch takes one name, or none")
	}
	var objs []v1.Object
	for _, key := range keys {
		obj, err := server.Get(cmd.Context(), key)
		if err != nil {
			return err
		}
		objs = append(objs, obj)
	}
	kind := keys[0].Kind
	if len(objs) == 1 {
		err = show.One(kind, objs[0])
	} else {
		err = show.List(kind, objs)
	}
	if err != nil || !o.watch {
		return err
	}
	return getWatch(cmd, server, kind, client.WatchOptions{
		Namespace: keys[0].Namespace, Name: keys[0].Name, ResourceVersion: objs[0].GetResourceVersion(),
	}, show)
}

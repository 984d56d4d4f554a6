package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/client-go/util/jsonpath"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
)

type getOptions struct {
	output   string
	selector string
	fields   string
	all      bool
	watch    bool
	noHeader bool
}

func newGet(c *cli) *cobra.Command {
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
		ValidArgsFunction: completeObjects(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{v1.ResourceJobs}
			}
			show, err := newPrinter(c.out, o)
			if err != nil {
				return err
			}
			server, err := c.connect()
			if err != nil {
				return err
			}
			if len(args) == 1 && !strings.Contains(args[0], "/") {
				kind, err := c.kindArg(args[0])
				if err != nil {
					return err
				}
				return c.getList(cmd, server, kind, o, show)
			}
			return c.getNamed(cmd, server, args, o, show)
		},
	}
	flags := command.Flags()
	flags.StringVarP(&o.output, "output", "o", "", "wide, yaml, json, name or jsonpath=TEMPLATE")
	flags.StringVarP(&o.selector, "selector", "l", "", "label selector, e.g. team=web")
	flags.StringVar(&o.fields, "field-selector", "", "field selector, e.g. status.phase=Failed")
	flags.BoolVarP(&o.all, "all-workspaces", "A", false, "objects of all workspaces")
	flags.BoolVarP(&o.watch, "watch", "w", false, "go on and show changes")
	flags.BoolVar(&o.noHeader, "no-headers", false, "no line of column names")
	return command
}

func (c *cli) getList(cmd *cobra.Command, server *client.Client, kind v1.Kind, o getOptions, show *printer) error {
	namespace := c.workspace
	if o.all || !kind.Namespaced {
		namespace = ""
	}
	list, err := server.ListAll(cmd.Context(), kind, client.ListOptions{Namespace: namespace, LabelSelector: o.selector, FieldSelector: o.fields})
	if err != nil {
		return err
	}
	if len(list.Items) == 0 && !o.watch && show.table() {
		if err := workspaceExists(cmd.Context(), server, namespace); err != nil {
			return err
		}
		where := fmt.Sprintf(" in workspace %s", namespace)
		if namespace == "" {
			where = ""
		}
		fmt.Fprintf(c.err, "No %s found%s.\n", kind.Resource, where)
		return nil
	}
	if err := show.list(kind, list.Items); err != nil || !o.watch {
		return err
	}
	return c.getWatch(cmd, server, kind, client.WatchOptions{Namespace: namespace, LabelSelector: o.selector, ResourceVersion: list.ResourceVersion}, show)
}

// workspaceExists tells an empty workspace from one that there is not; an empty name
// stands for all workspaces. The default workspace counts as there: a server without room
// starts before it can make it.
func workspaceExists(ctx context.Context, server *client.Client, name string) error {
	if name == "" || name == v1.DefaultWorkspace {
		return nil
	}
	kind, _ := v1.KindByName(v1.KindWorkspace)
	_, err := server.Get(ctx, client.Key{Kind: kind, Name: name})
	return err
}

func (c *cli) getWatch(cmd *cobra.Command, server *client.Client, kind v1.Kind, opts client.WatchOptions, show *printer) error {
	for event, err := range server.Watch(cmd.Context(), kind, opts) {
		if cmd.Context().Err() != nil {
			return nil // the person has seen enough
		}
		if err != nil {
			return err
		}
		if err := show.one(kind, event.Object); err != nil {
			return err
		}
	}
	return nil
}

func (c *cli) getNamed(cmd *cobra.Command, server *client.Client, args []string, o getOptions, show *printer) error {
	keys, err := c.objectArgs(args)
	if err != nil {
		return err
	}
	if o.watch && len(keys) != 1 {
		return usagef("--watch takes one name, or none")
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
		err = show.one(kind, objs[0])
	} else {
		err = show.list(kind, objs)
	}
	if err != nil || !o.watch {
		return err
	}
	return c.getWatch(cmd, server, kind, client.WatchOptions{
		Namespace: keys[0].Namespace, Name: keys[0].Name, ResourceVersion: objs[0].GetResourceVersion(),
	}, show)
}

// printer prints objects as -o asks.
type printer struct {
	out    io.Writer
	o      getOptions
	path   *jsonpath.JSONPath
	headed bool
}

func newPrinter(out io.Writer, o getOptions) (*printer, error) {
	p := &printer{out: out, o: o}
	if template, ok := strings.CutPrefix(o.output, "jsonpath="); ok {
		p.path = jsonpath.New("output").AllowMissingKeys(true)
		if err := p.path.Parse(template); err != nil {
			return nil, usagef("--output jsonpath: %v", err)
		}
		return p, nil
	}
	switch o.output {
	case "", "wide", "yaml", "json", "name":
		return p, nil
	}
	return nil, usagef("--output %q: supported values: wide, yaml, json, name, jsonpath=TEMPLATE", o.output)
}

func (p *printer) table() bool { return p.path == nil && (p.o.output == "" || p.o.output == "wide") }

func (p *printer) one(kind v1.Kind, obj v1.Object) error {
	switch {
	case p.path != nil:
		return p.jsonpath(obj)
	case p.table():
		return p.rows(kind, []v1.Object{obj})
	default:
		if p.headed && p.o.output == "yaml" {
			fmt.Fprintln(p.out, "---")
		}
		p.headed = true
		return printObject(p.out, obj, p.o.output)
	}
}

func (p *printer) list(kind v1.Kind, objs []v1.Object) error {
	list := map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{}, "items": objs}
	if objs == nil {
		list["items"] = []any{}
	}
	switch {
	case p.path != nil:
		return p.jsonpath(list)
	case p.table():
		return p.rows(kind, objs)
	case p.o.output == "name":
		for _, obj := range objs {
			fmt.Fprintln(p.out, fullName(obj))
		}
		return nil
	case p.o.output == "json":
		return printJSON(p.out, list)
	default:
		data, err := toYAML(list)
		if err == nil {
			_, err = p.out.Write(data)
		}
		return err
	}
}

func (p *printer) rows(kind v1.Kind, objs []v1.Object) error {
	wide := p.o.output == "wide"
	lead := func(name string, row []string) []string {
		if p.o.all && kind.Namespaced {
			return append([]string{name}, row...)
		}
		return row
	}
	t := newTable(p.out)
	if !p.headed && !p.o.noHeader {
		t.row(lead("WORKSPACE", columns(kind, wide))...)
	}
	p.headed = true
	for _, obj := range objs {
		t.row(lead(obj.GetNamespace(), cells(kind, obj, now(), wide))...)
	}
	return t.flush()
}

func (p *printer) jsonpath(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := p.path.Execute(&text, exactNumbers(plain)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, text.String())
	return err
}

// exactNumbers is a decoded value with its numbers as a filter compares them, where that
// changes nothing about how they are written: others stay as they are.
func exactNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil && fmt.Sprint(f) == v.String() {
			return f
		}
	case []any:
		for i := range v {
			v[i] = exactNumbers(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = exactNumbers(v[key])
		}
	}
	return value
}

func printJSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// completeObjects completes kinds, then names from the server.
func completeObjects(c *cli) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			var kinds []string
			for _, kind := range c.kinds {
				kinds = append(kinds, kind.Resource)
			}
			return kinds, cobra.ShellCompDirectiveNoFileComp
		}
		kind, err := c.kindArg(args[0])
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return c.names(cmd, kind), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeJobs completes the names of jobs.
func completeJobs(c *cli) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		kind, _ := v1.KindByName(v1.KindJob)
		return c.names(cmd, kind), cobra.ShellCompDirectiveNoFileComp
	}
}

func (c *cli) names(cmd *cobra.Command, kind v1.Kind) []string {
	server, err := c.connect()
	if err != nil {
		return nil
	}
	opts := client.ListOptions{Limit: 500}
	if kind.Namespaced {
		opts.Namespace = c.workspace
	}
	list, err := server.List(cmd.Context(), kind, opts)
	if err != nil {
		return nil
	}
	var names []string
	for _, obj := range list.Items {
		names = append(names, obj.GetName())
	}
	return names
}

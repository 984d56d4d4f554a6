package jobs

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	"jobwright.dev/api/core"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
	"jobwright.dev/cmd/jobwright/selection"
)

type eventsOptions struct {
	output   string
	kind     string
	limit    int
	all      bool
	watch    bool
	noHeader bool
}

func newEvents(c *cli.Invocation) *cobra.Command {
	var o eventsOptions
	command := &cobra.Command{
		Use:   "events [NAME]",
		Short: "Show the events of jobs",
		Long: `Events shows the events of one job, or of all jobs of a workspace, in order: each
transition with its reason and message. The newest hundred events of each job are shown.
Repetitions in a row are one event with a count, which -o wide shows. A deleted job's events
are removed with it.`,
		Example: `  jobwright events
  jobwright events add-health-route -o wide
  jobwright events -w --type Warning
  jobwright events --all-workspaces --limit 20 -o yaml`,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: selection.CompleteJobs(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			show := &eventPrinter{out: c.Out, o: o}
			opts := client.EventOptions{Type: o.kind, Limit: o.limit}
			if o.limit < 0 {
				return cli.Usagef("--limit %d: must not be negative", o.limit)
			}
			server, err := c.Connect()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				keys, err := selection.Keys(c, args)
				if err != nil {
					return err
				}
				if keys[0].Kind.Name != v1.KindJob {
					return cli.Usagef("%s: name a job", args[0])
				}
				opts.Job = keys[0].Name
			}
			if !o.all {
				opts.Namespace = c.Workspace
			}
			return events(c, cmd, server, opts, o, show)
		},
	}
	flags := command.Flags()
	cli.Output(command, &o.output, "wide, yaml or json", "wide", "yaml", "json")
	cli.Choice(command, &o.kind, "type", "", "only Normal or only Warning", "Normal", "Warning")
	flags.IntVar(&o.limit, "limit", 500, "only the newest events; 0: all")
	flags.BoolVarP(&o.all, "all-workspaces", "A", false, "events of all workspaces")
	flags.BoolVarP(&o.watch, "watch", "w", false, "go on and show what happens")
	flags.BoolVar(&o.noHeader, "no-headers", false, "no line of column names")
	return command
}

func events(c *cli.Invocation, cmd *cobra.Command, server *client.Client, opts client.EventOptions, o eventsOptions, show *eventPrinter) error {
	list, err := server.Events(cmd.Context(), opts)
	if err != nil {
		return err
	}
	core.SortByTime(list.Items)
	if len(list.Items) == 0 {
		if err := selection.WorkspaceExists(cmd.Context(), server, opts.Namespace); err != nil {
			return err
		}
	}
	if len(list.Items) == 0 && !o.watch && show.table() {
		fmt.Fprintln(c.Err, "No events found"+where(opts)+".")
		return nil
	}
	if err := show.list(list, o.watch); err != nil {
		return err
	}
	if !o.watch {
		if list.Continue != "" {
			fmt.Fprintf(c.Err, "These are the newest %d events; --limit=0 shows all.\n", len(list.Items))
		}
		return nil
	}
	opts.ResourceVersion = list.ResourceVersion
	for event, err := range server.WatchEvents(cmd.Context(), opts) {
		if cmd.Context().Err() != nil {
			return nil // the person has seen enough
		}
		if err != nil {
			return err
		}
		if err := show.one(event); err != nil {
			return err
		}
	}
	return nil
}

// where describes the scope of the requested events.
func where(opts client.EventOptions) string {
	var b strings.Builder
	if opts.Job != "" {
		b.WriteString(" for job " + opts.Job)
	}
	if opts.Namespace != "" {
		b.WriteString(" in workspace " + opts.Namespace)
	}
	return b.String()
}

// eventPrinter prints events in the format of --output.
type eventPrinter struct {
	out    io.Writer
	o      eventsOptions
	widths []int // of the columns so far, so that what comes later aligns
	headed bool
}

func (p *eventPrinter) table() bool { return p.o.output == "" || p.o.output == "wide" }

// list prints a list, or its single events if more will follow.
func (p *eventPrinter) list(list core.EventList, more bool) error {
	switch {
	case p.table():
		return p.rows(list.Items)
	case more:
		for _, event := range list.Items {
			if err := p.one(event); err != nil {
				return err
			}
		}
		return nil
	default:
		return print.As(p.out, list, p.o.output)
	}
}

func (p *eventPrinter) one(event core.Event) error {
	if p.table() {
		return p.rows([]core.Event{event})
	}
	if p.headed && p.o.output == "yaml" {
		fmt.Fprintln(p.out, "---")
	}
	p.headed = true
	return print.As(p.out, event, p.o.output)
}

func (p *eventPrinter) rows(items []core.Event) error {
	var rows [][]string
	if !p.headed && !p.o.noHeader {
		rows = append(rows, p.columns())
	}
	p.headed = true
	for i := range items {
		rows = append(rows, p.cells(&items[i]))
	}
	for _, row := range rows {
		for i, cell := range row {
			if i == len(p.widths) {
				p.widths = append(p.widths, 0)
			}
			p.widths[i] = max(p.widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row[:len(row)-1] {
			b.WriteString(cell + strings.Repeat(" ", p.widths[i]-utf8.RuneCountInString(cell)+3))
		}
		b.WriteString(row[len(row)-1] + "\n")
	}
	_, err := io.WriteString(p.out, b.String())
	return err
}

func (p *eventPrinter) columns() []string {
	names := []string{"LAST SEEN", "TYPE", "REASON", "OBJECT"}
	if p.o.all {
		names = append([]string{"WORKSPACE"}, names...)
	}
	if p.o.output == "wide" {
		names = append(names, "FIRST SEEN", "COUNT", "ATTEMPT")
	}
	return append(names, "MESSAGE")
}

func (p *eventPrinter) cells(e *core.Event) []string {
	row := []string{print.Since(e.EventTime.Time, time.Now()), e.Type, e.Reason, strings.ToLower(e.InvolvedObject.Kind) + "/" + e.InvolvedObject.Name}
	if p.o.all {
		row = append([]string{e.Namespace}, row...)
	}
	if p.o.output == "wide" {
		row = append(row, print.Since(e.FirstTimestamp.Time, time.Now()), fmt.Sprint(e.Count), print.Dash(e.Annotations[core.AttemptAnnotation]))
	}
	return append(row, print.Dash(print.FirstLine(e.Message)))
}

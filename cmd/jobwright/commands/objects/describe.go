package objects

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	"jobwright.dev/api/core"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
	"jobwright.dev/cmd/jobwright/selection"
)

// describeLines is the number of log lines that describe prints.
const describeLines = 10

// maxDescribeEvents is the number of events that describe prints: several retries.
const maxDescribeEvents = 20

func newDescribe(c *cli.Invocation) *cobra.Command {
	return &cobra.Command{
		Use:     "describe [KIND] NAME…",
		Short:   "Show everything about an object, for a person",
		Example: "  jobwright describe job add-health-route",
		Args:    cobra.MinimumNArgs(1), ValidArgsFunction: selection.CompleteObjects(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := c.Connect()
			if err != nil {
				return err
			}
			keys, err := selection.Keys(c, args)
			if err != nil {
				return err
			}
			for i, key := range keys {
				obj, err := server.Get(cmd.Context(), key)
				if err != nil {
					return err
				}
				if i > 0 {
					fmt.Fprintln(c.Out)
				}
				if err := describe(c, cmd, server, key, obj); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// describe prints an object; for a job it ends with the log and the events.
func describe(c *cli.Invocation, cmd *cobra.Command, server *client.Client, key client.Key, obj v1.Object) error {
	if err := print.Description(c.Out, c.Kinds, obj, time.Now()); err != nil {
		return err
	}
	if err := describeSpec(c, obj); err != nil {
		return err
	}
	job, ok := obj.(*v1.Job)
	if !ok {
		return nil
	}
	if err := describeLog(c, cmd, server, key); err != nil {
		return err
	}
	return describeEvents(c, cmd, server, job)
}

func describeSpec(c *cli.Invocation, obj v1.Object) error {
	kind, _ := c.Kinds.Of(obj) // the client knows no other
	data, err := print.MarshalYAML(kind.Spec(obj))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Out, "Spec:\n  %s\n", strings.ReplaceAll(strings.TrimSpace(string(data)), "\n", "\n  "))
	return err
}

func describeLog(c *cli.Invocation, cmd *cobra.Command, server *client.Client, key client.Key) error {
	headed := false
	for line, err := range server.Logs(cmd.Context(), key, client.LogOptions{TailLines: describeLines}) {
		if err != nil {
			return err
		}
		if !headed {
			fmt.Fprintf(c.Out, "Log (last %d lines; all of it: jobwright logs %s):\n", describeLines, key.Name)
			headed = true
		}
		fmt.Fprintf(c.Out, "  %s\n", line.Text)
	}
	return nil
}

// describeEvents prints the events of this job, selected by uid: an earlier job may have had
// the same name.
func describeEvents(c *cli.Invocation, cmd *cobra.Command, server *client.Client, job *v1.Job) error {
	list, err := server.Events(cmd.Context(), client.EventOptions{Namespace: job.Namespace, Job: job.Name, UID: job.UID, Limit: maxDescribeEvents})
	if err != nil {
		return err
	}
	if len(list.Items) == 0 {
		fmt.Fprintln(c.Out, "Events: none")
		return nil
	}
	head := "Events:"
	if list.Continue != "" {
		head = fmt.Sprintf("Events (last %d; more of them: jobwright events %s):", maxDescribeEvents, job.Name)
	}
	fmt.Fprintln(c.Out, head)
	core.SortByTime(list.Items)
	t := print.NewTable(c.Out, "  LAST SEEN", "TYPE", "REASON", "MESSAGE")
	for _, e := range list.Items {
		seen := print.Since(e.EventTime.Time, time.Now())
		if e.Count > 1 {
			seen += fmt.Sprintf(" (x%d over %s)", e.Count, print.Since(e.FirstTimestamp.Time, time.Now()))
		}
		t.Row("  "+seen, e.Type, e.Reason, print.Dash(print.FirstLine(e.Message)))
	}
	return t.Flush()
}

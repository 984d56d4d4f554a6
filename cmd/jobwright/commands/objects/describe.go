package objects

import (
	"fmt"
	"strings"
	"time"

	"jobwright.dev/cmd/jobwright/print"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	"jobwright.dev/api/core"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/selection"
)

// describeLines is how many lines of its log describe shows of a job.
const describeLines = 10

// maxDescribeEvents is how many events it shows: several retries and what came of them.
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

func describe(c *cli.Invocation, cmd *cobra.Command, server *client.Client, key client.Key, obj v1.Object) error {
	t := print.NewTable(c.Out)
	line := func(name, value string) {
		if value != "" {
			t.Row(name+":", strings.ReplaceAll(value, "\n", "\n\t"))
		}
	}
	line("Name", obj.GetName())
	line("Workspace", obj.GetNamespace())
	line("Labels", print.Pairs(obj.GetLabels()))
	line("Created", print.At(obj.GetCreationTimestamp().Time))
	job, ok := obj.(*v1.Job)
	if !ok {
		if err := t.Flush(); err != nil {
			return err
		}
		return describeSpec(c, obj)
	}
	s := job.Status
	line("Type", string(job.Spec.Type))
	line("Phase", string(s.Phase))
	line("Progress", strings.TrimSpace(fmt.Sprintf("%d%% %s", s.Pct, s.Step)))
	line("Reason", s.Reason)
	line("Message", s.Message)
	for _, blocker := range s.BlockedBy {
		line("Blocked by", fmt.Sprintf("%s: %s", blocker.Kind, blocker.Message))
	}
	if s.StartTime != nil {
		line("Started", print.At(s.StartTime.Time))
	}
	if s.CompletionTime != nil {
		line("Completed", print.At(s.CompletionTime.Time))
	}
	line("Run time", print.RunTime(job, time.Now()))
	line("Idle limit", print.IdleLimit(job))
	line("Attempts", fmt.Sprintf("%d started, %d failed, %d interrupted", s.Attempts, s.Failures, s.Interruptions))
	if a := s.CurrentAttempt; a != nil {
		line("Attempt", fmt.Sprintf("%s on %s since %s", a.ID, a.Worker, print.At(a.StartTime.Time)))
	}
	if s.NextAttemptTime != nil {
		line("Next attempt", "at "+s.NextAttemptTime.UTC().Format(time.RFC3339))
	}
	for _, d := range s.Dependencies {
		line("Depends on", fmt.Sprintf("%s (met: %t)", d.Name, d.Met))
	}
	if l := s.LateResult; l != nil {
		line("Late result", fmt.Sprintf("%s of attempt %s by %s, at %s; it changed nothing. %s", l.Outcome, l.Attempt, l.Worker, print.At(l.Time.Time), l.Message))
	}
	for _, artifact := range s.Artifacts {
		line("Artifact", strings.TrimSpace(artifact.Name+" "+artifact.URI))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(s.Conditions) > 0 {
		fmt.Fprintln(c.Out, "Conditions:")
		t = print.NewTable(c.Out, "  TYPE", "STATUS", "REASON", "SINCE", "MESSAGE")
		for _, condition := range s.Conditions {
			t.Row("  "+condition.Type, string(condition.Status), condition.Reason, print.At(condition.LastTransitionTime.Time), condition.Message)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	if err := describeHistory(c, job); err != nil {
		return err
	}
	if err := describeSpec(c, job); err != nil {
		return err
	}
	if err := describeLog(c, cmd, server, key); err != nil {
		return err
	}
	return describeEvents(c, cmd, server, job)
}

// describeHistory shows how earlier runs ended.
func describeHistory(c *cli.Invocation, job *v1.Job) error {
	if len(job.Status.History) == 0 {
		return nil
	}
	fmt.Fprintln(c.Out, "Earlier runs:")
	t := print.NewTable(c.Out, "  RUN", "PHASE", "REASON", "ENDED", "MESSAGE")
	for _, run := range job.Status.History {
		t.Row(fmt.Sprintf("  %d", run.Reruns), string(run.Phase), run.Reason, print.At(run.CompletionTime.Time), print.Dash(print.FirstLine(run.Message)))
	}
	return t.Flush()
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

// describeEvents shows what has happened to this job, and not to another that had the
// same name.
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

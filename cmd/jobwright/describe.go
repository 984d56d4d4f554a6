package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
)

// describeLines is how many lines of its log describe shows of a job.
const describeLines = 10

// maxDescribeEvents is how many events it shows: several retries and what came of them.
const maxDescribeEvents = 20

func newDescribe(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "describe [KIND] NAME…",
		Short:   "Show everything about an object, for a person",
		Example: "  jobwright describe job add-health-route",
		Args:    cobra.MinimumNArgs(1), ValidArgsFunction: completeObjects(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := c.connect()
			if err != nil {
				return err
			}
			keys, err := c.objectArgs(args)
			if err != nil {
				return err
			}
			for i, key := range keys {
				obj, err := server.Get(cmd.Context(), key)
				if err != nil {
					return err
				}
				if i > 0 {
					fmt.Fprintln(c.out)
				}
				if err := c.describe(cmd, server, key, obj); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (c *cli) describe(cmd *cobra.Command, server *client.Client, key client.Key, obj v1.Object) error {
	t := newTable(c.out)
	line := func(name, value string) {
		if value != "" {
			t.row(name+":", strings.ReplaceAll(value, "\n", "\n\t"))
		}
	}
	line("Name", obj.GetName())
	line("Workspace", obj.GetNamespace())
	line("Labels", pairs(obj.GetLabels()))
	line("Created", at(obj.GetCreationTimestamp().Time))
	job, ok := obj.(*v1.Job)
	if !ok {
		if err := t.flush(); err != nil {
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
		line("Started", at(s.StartTime.Time))
	}
	if s.CompletionTime != nil {
		line("Completed", at(s.CompletionTime.Time))
	}
	line("Run time", runTime(job, now()))
	line("Idle limit", idleLimit(job))
	line("Attempts", fmt.Sprintf("%d started, %d failed, %d interrupted", s.Attempts, s.Failures, s.Interruptions))
	if a := s.CurrentAttempt; a != nil {
		line("Attempt", fmt.Sprintf("%s on %s since %s", a.ID, a.Worker, at(a.StartTime.Time)))
	}
	if s.NextAttemptTime != nil {
		line("Next attempt", "at "+s.NextAttemptTime.UTC().Format(time.RFC3339))
	}
	for _, d := range s.Dependencies {
		line("Depends on", fmt.Sprintf("%s (met: %t)", d.Name, d.Met))
	}
	if l := s.LateResult; l != nil {
		line("Late result", fmt.Sprintf("%s of attempt %s by %s, at %s; it changed nothing. %s", l.Outcome, l.Attempt, l.Worker, at(l.Time.Time), l.Message))
	}
	for _, artifact := range s.Artifacts {
		line("Artifact", strings.TrimSpace(artifact.Name+" "+artifact.URI))
	}
	if err := t.flush(); err != nil {
		return err
	}
	if len(s.Conditions) > 0 {
		fmt.Fprintln(c.out, "Conditions:")
		t = newTable(c.out, "  TYPE", "STATUS", "REASON", "SINCE", "MESSAGE")
		for _, condition := range s.Conditions {
			t.row("  "+condition.Type, string(condition.Status), condition.Reason, at(condition.LastTransitionTime.Time), condition.Message)
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	if err := c.describeHistory(job); err != nil {
		return err
	}
	if err := describeSpec(c, job); err != nil {
		return err
	}
	if err := c.describeLog(cmd, server, key); err != nil {
		return err
	}
	return c.describeEvents(cmd, server, job)
}

// idleLimit says how long an attempt may stand still, and who has decided that.
func idleLimit(job *v1.Job) string {
	seconds, limited := job.IdleTimeout()
	switch {
	case limited && job.Spec.IdleTimeoutSeconds != nil:
		return fmt.Sprintf("%d s without output or progress (spec.idleTimeoutSeconds)", seconds)
	case limited:
		return fmt.Sprintf("%d s without output or progress (the default; spec.idleTimeoutSeconds changes it, 0: none)", seconds)
	case job.Spec.IdleTimeoutSeconds != nil:
		return "none (spec.idleTimeoutSeconds is 0)"
	case job.Spec.Type == v1.JobTypeDeploy:
		return "those of its stages (spec.deploy.limits)"
	case job.Spec.Type == v1.JobTypeAPICall && job.Spec.APICall != nil && job.Spec.APICall.URL != "":
		return "spec.apiCall.timeoutSeconds for each request (unset: 30)"
	case job.Spec.Type == v1.JobTypeBuild:
		return "none (the job is from before there was a default; spec.idleTimeoutSeconds sets one)"
	}
	return ""
}

// describeHistory shows how earlier runs ended.
func (c *cli) describeHistory(job *v1.Job) error {
	if len(job.Status.History) == 0 {
		return nil
	}
	fmt.Fprintln(c.out, "Earlier runs:")
	t := newTable(c.out, "  RUN", "PHASE", "REASON", "ENDED", "MESSAGE")
	for _, run := range job.Status.History {
		t.row(fmt.Sprintf("  %d", run.Reruns), string(run.Phase), run.Reason, at(run.CompletionTime.Time), dash(firstLine(run.Message)))
	}
	return t.flush()
}

func describeSpec(c *cli, obj v1.Object) error {
	kind, _ := c.kinds.Of(obj) // the client knows no other
	data, err := toYAML(kind.Spec(obj))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "Spec:\n  %s\n", strings.ReplaceAll(strings.TrimSpace(string(data)), "\n", "\n  "))
	return err
}

func (c *cli) describeLog(cmd *cobra.Command, server *client.Client, key client.Key) error {
	headed := false
	for line, err := range server.Logs(cmd.Context(), key, client.LogOptions{TailLines: describeLines}) {
		if err != nil {
			return err
		}
		if !headed {
			fmt.Fprintf(c.out, "Log (last %d lines; all of it: jobwright logs %s):\n", describeLines, key.Name)
			headed = true
		}
		fmt.Fprintf(c.out, "  %s\n", line.Text)
	}
	return nil
}

// describeEvents shows what has happened to this job, and not to another that had the
// same name.
func (c *cli) describeEvents(cmd *cobra.Command, server *client.Client, job *v1.Job) error {
	list, err := server.Events(cmd.Context(), client.EventOptions{Namespace: job.Namespace, Job: job.Name, UID: job.UID, Limit: maxDescribeEvents})
	if err != nil {
		return err
	}
	if len(list.Items) == 0 {
		fmt.Fprintln(c.out, "Events: none")
		return nil
	}
	head := "Events:"
	if list.Continue != "" {
		head = fmt.Sprintf("Events (last %d; more of them: jobwright events %s):", maxDescribeEvents, job.Name)
	}
	fmt.Fprintln(c.out, head)
	inOrder(list.Items)
	t := newTable(c.out, "  LAST SEEN", "TYPE", "REASON", "MESSAGE")
	for _, e := range list.Items {
		seen := since(e.EventTime.Time, now())
		if e.Count > 1 {
			seen += fmt.Sprintf(" (x%d over %s)", e.Count, since(e.FirstTimestamp.Time, now()))
		}
		t.row("  "+seen, e.Type, e.Reason, dash(firstLine(e.Message)))
	}
	return t.flush()
}

func at(t time.Time) string {
	return fmt.Sprintf("%s (%s ago)", t.UTC().Format(time.RFC3339), since(t, now()))
}

func pairs(m map[string]string) string {
	var out []string
	for k, v := range m {
		out = append(out, k+"="+v)
	}
	return strings.Join(out, ", ")
}

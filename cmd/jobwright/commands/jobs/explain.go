package jobs

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
	"jobwright.dev/cmd/jobwright/selection"
)

func newExplainWait(c *cli.Invocation) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "explain-wait NAME",
		Short: "Say why a job does not run yet: what blocks it, since when, until when, what to do",
		Example: `  jobwright explain-wait add-health-route
  jobwright explain-wait deploy-shop -o json`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: selection.CompleteJobs(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := c.Connect()
			if err != nil {
				return err
			}
			keys, err := selection.Keys(c, args)
			if err != nil {
				return err
			}
			answer, err := server.Explain(cmd.Context(), keys[0])
			if err != nil {
				return err
			}
			if output != "" {
				return print.As(c.Out, answer, output)
			}
			return printExplanation(c.Out, answer, time.Now())
		},
	}
	cli.Output(command, &output, "json or yaml instead of text", "json", "yaml")
	return command
}

func printExplanation(out io.Writer, e *v1.JobExplanation, now time.Time) error {
	t := print.NewTable(out)
	t.Row("Job:", e.Namespace+"/"+e.Name)
	phase := string(e.Phase)
	if e.Reason != "" && e.Reason != phase {
		phase += " (" + e.Reason + ")"
	}
	if e.Since != nil {
		phase += ", for " + print.Since(e.Since.Time, now)
	}
	t.Row("Phase:", phase)
	if e.Message != "" {
		t.Row("Message:", strings.ReplaceAll(e.Message, "\n", "\n\t"))
	}
	if e.Phase == v1.JobQueued {
		t.Row("Position:", position(e))
		t.Row("Starts:", estimated(e.EstimatedStart, now))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(e.BlockedBy) == 0 {
		_, err := fmt.Fprintln(out, e.Advice)
		return err
	}
	fmt.Fprintln(out, "Blocked by:")
	t = print.NewTable(out, "  WHAT", "SINCE", "UNTIL", "WHY")
	for _, b := range e.BlockedBy {
		t.Row("  "+string(b.Kind), ago(b.Since, now), ahead(b.Until, now), b.Message)
	}
	return t.Flush()
}

// position is the job's place in the queue. A job has one as soon as nothing but its turn,
// a limit or a free slot keeps it.
func position(e *v1.JobExplanation) string {
	blocked := func(kind v1.BlockerKind) bool {
		return slices.ContainsFunc(e.BlockedBy, func(b v1.Blocker) bool { return b.Kind == kind })
	}
	switch {
	case blocked(v1.BlockedBySuspend):
		return "none while it is suspended"
	case blocked(v1.BlockedByDependency):
		return "none while it waits for other jobs"
	case e.Position == 0 && blocked(v1.BlockedBySchedule):
		return "none before its time"
	case e.Position == 0:
		return "next, as far as its turn goes"
	case e.Position == 1:
		return "about 1 job starts before it"
	}
	return fmt.Sprintf("about %d jobs start before it", e.Position)
}

func estimated(at *metav1.MicroTime, now time.Time) string {
	if at == nil {
		return "not known"
	}
	if !at.After(now) {
		return "now"
	}
	return fmt.Sprintf("about %s from now, at %s", print.Span(at.Sub(now)), at.UTC().Format(time.RFC3339))
}

func ago(at *metav1.MicroTime, now time.Time) string {
	if at == nil {
		return "-"
	}
	return print.Since(at.Time, now) + " ago"
}

func ahead(at *metav1.MicroTime, now time.Time) string {
	if at == nil {
		return "-"
	}
	return fmt.Sprintf("%s (in %s)", at.UTC().Format(time.RFC3339), print.Span(at.Sub(now)))
}

package print

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

// Description prints the fields of an object for a person. For a job it adds status,
// conditions and earlier runs.
func Description(out io.Writer, kinds v1.KindSet, obj v1.Object, now time.Time) error {
	d := description{Table: NewTable(out), kinds: kinds, now: now}
	d.line("Name", obj.GetName())
	d.line("Workspace", obj.GetNamespace())
	d.line("Labels", pairs(obj.GetLabels()))
	d.line("Created", d.at(obj.GetCreationTimestamp().Time))
	job, ok := obj.(*v1.Job)
	if !ok {
		return d.Flush()
	}
	d.status(job)
	d.attempts(&job.Status)
	if err := d.Flush(); err != nil {
		return err
	}
	if err := d.conditions(out, job.Status.Conditions); err != nil {
		return err
	}
	return d.history(out, job.Status.History)
}

// description is a table of names and values.
type description struct {
	Table
	kinds v1.KindSet
	now   time.Time
}

func (d description) line(name, value string) {
	if value != "" {
		d.Row(name+":", strings.ReplaceAll(value, "\n", "\n\t"))
	}
}

// at formats a time with its age.
func (d description) at(t time.Time) string {
	return fmt.Sprintf("%s (%s ago)", t.UTC().Format(time.RFC3339), Since(t, d.now))
}

func (d description) status(job *v1.Job) {
	s := &job.Status
	d.line("Type", string(job.Spec.Type))
	d.line("Phase", string(s.Phase))
	d.line("Progress", strings.TrimSpace(fmt.Sprintf("%d%% %s", s.Pct, s.Step)))
	d.line("Reason", s.Reason)
	d.line("Message", s.Message)
	for _, blocker := range s.BlockedBy {
		d.line("Blocked by", fmt.Sprintf("%s: %s", blocker.Kind, blocker.Message))
	}
	if s.StartTime != nil {
		d.line("Started", d.at(s.StartTime.Time))
	}
	if s.CompletionTime != nil {
		d.line("Completed", d.at(s.CompletionTime.Time))
	}
	d.line("Run time", runTime(job, d.now))
	d.line("Idle limit", idleLimit(d.kinds.Payloads(), job))
}

func (d description) attempts(s *v1.JobStatus) {
	d.line("Attempts", fmt.Sprintf("%d started, %d failed, %d interrupted", s.Attempts, s.Failures, s.Interruptions))
	if a := s.CurrentAttempt; a != nil {
		d.line("Attempt", fmt.Sprintf("%s on %s since %s", a.ID, a.Worker, d.at(a.StartTime.Time)))
	}
	if s.NextAttemptTime != nil {
		d.line("Next attempt", "at "+s.NextAttemptTime.UTC().Format(time.RFC3339))
	}
	for _, dependency := range s.Dependencies {
		d.line("Depends on", fmt.Sprintf("%s (met: %t)", dependency.Name, dependency.Met))
	}
	if l := s.LateResult; l != nil {
		d.line("Late result", fmt.Sprintf("%s of attempt %s by %s, at %s; it changed nothing. %s", l.Outcome, l.Attempt, l.Worker, d.at(l.Time.Time), l.Message))
	}
	for _, artifact := range s.Artifacts {
		d.line("Artifact", strings.TrimSpace(artifact.Name+" "+artifact.URI))
	}
}

func (d description) conditions(out io.Writer, conditions []metav1.Condition) error {
	if len(conditions) == 0 {
		return nil
	}
	fmt.Fprintln(out, "Conditions:")
	t := NewTable(out, "  TYPE", "STATUS", "REASON", "SINCE", "MESSAGE")
	for _, condition := range conditions {
		t.Row("  "+condition.Type, string(condition.Status), condition.Reason, d.at(condition.LastTransitionTime.Time), condition.Message)
	}
	return t.Flush()
}

// history prints the outcomes of earlier runs.
func (d description) history(out io.Writer, runs []v1.RunStatus) error {
	if len(runs) == 0 {
		return nil
	}
	fmt.Fprintln(out, "Earlier runs:")
	t := NewTable(out, "  RUN", "PHASE", "REASON", "ENDED", "MESSAGE")
	for _, run := range runs {
		t.Row(fmt.Sprintf("  %d", run.Reruns), string(run.Phase), run.Reason, d.at(run.CompletionTime.Time), Dash(FirstLine(run.Message)))
	}
	return t.Flush()
}

// idleLimit describes the idle limit of a job's attempts and where it comes from.
func idleLimit(payloads v1.PayloadSet, job *v1.Job) string {
	seconds, limited := job.IdleTimeout()
	switch {
	case limited && job.Spec.IdleTimeoutSeconds != nil:
		return fmt.Sprintf("%d s without output or progress (spec.idleTimeoutSeconds)", seconds)
	case limited:
		return fmt.Sprintf("%d s without output or progress (the default; spec.idleTimeoutSeconds changes it, 0: none)", seconds)
	case job.Spec.IdleTimeoutSeconds != nil:
		return "none (spec.idleTimeoutSeconds is 0)"
	}
	if p, ok := payloads.ByType(job.Spec.Type); ok && p.IdleLimit != nil {
		return p.IdleLimit(&job.Spec)
	}
	return ""
}

// pairs formats labels as KEY=VALUE, sorted.
func pairs(labels map[string]string) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		out = append(out, key+"="+labels[key])
	}
	return strings.Join(out, ", ")
}

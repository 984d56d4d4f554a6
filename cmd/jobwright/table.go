package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	v1 "jobwright.dev/api/v1"
)

// table writes aligned columns.
type table struct{ w *tabwriter.Writer }

func newTable(out io.Writer, columns ...string) table {
	t := table{tabwriter.NewWriter(out, 0, 8, 3, ' ', 0)}
	if len(columns) > 0 {
		t.row(columns...)
	}
	return t
}

func (t table) row(cells ...string) { fmt.Fprintln(t.w, strings.Join(cells, "\t")) }

func (t table) flush() error { return t.w.Flush() }

// cells are an object's columns; wide ones come last.
func cells(obj v1.Object, now time.Time, wide bool) []string {
	age := since(obj.GetCreationTimestamp().Time, now)
	switch o := obj.(type) {
	case *v1.Job:
		row := []string{o.Name, string(o.Spec.Type), string(o.Status.Phase), fmt.Sprintf("%d%%", o.Status.Pct), dash(o.Status.Step), dash(o.Status.Reason), age}
		if wide {
			row = append(row, fmt.Sprint(o.Status.Attempts), runTime(o, now), dash(firstLine(o.Status.Message)))
		}
		return row
	case *v1.Workspace:
		return []string{o.Name, dash(o.Spec.DisplayName), age}
	}
	return []string{obj.GetName(), age}
}

func columns(kind v1.Kind, wide bool) []string {
	switch kind.Name {
	case v1.KindJob:
		names := []string{"NAME", "TYPE", "PHASE", "PCT", "STEP", "REASON", "AGE"}
		if wide {
			names = append(names, "ATTEMPTS", "RUN-TIME", "MESSAGE")
		}
		return names
	case v1.KindWorkspace:
		return []string{"NAME", "DISPLAY-NAME", "AGE"}
	}
	return []string{"NAME", "AGE"}
}

func runTime(job *v1.Job, now time.Time) string {
	if job.Status.StartTime == nil {
		return "-"
	}
	end := now
	if job.Status.CompletionTime != nil {
		end = job.Status.CompletionTime.Time
	}
	return span(end.Sub(job.Status.StartTime.Time))
}

func since(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return span(now.Sub(t))
}

// span is a duration in its one or two largest units.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", max(d.Milliseconds(), 0))
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

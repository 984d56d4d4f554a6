package print

import (
	"fmt"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
)

// runTime formats the run time of a job.
func runTime(job *v1.Job, now time.Time) string {
	if run, ok := job.RunTime(now); ok {
		return Span(run)
	}
	return "-"
}

// Since formats the age of t.
func Since(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return Span(now.Sub(t))
}

// Span formats a duration in its largest unit.
func Span(d time.Duration) string {
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

// Dash returns "-" for an empty cell.
func Dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// FirstLine returns the text up to its first line break.
func FirstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// Ending describes the outcome of a finished job.
func Ending(job *v1.Job) string {
	text := strings.ToLower(string(job.Status.Phase))
	if job.Status.Phase != v1.JobSucceeded && job.Status.Reason != "" {
		text += " (" + job.Status.Reason + ")"
	}
	if job.Status.Message != "" {
		text += ": " + job.Status.Message
	}
	return text
}

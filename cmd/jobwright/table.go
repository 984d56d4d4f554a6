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

// columns are the heads of a kind's table; wide ones come last.
func columns(kind v1.Kind, wide bool) []string {
	row := []string{"NAME"}
	for _, c := range kind.Columns {
		if !c.Wide {
			row = append(row, c.Name)
		}
	}
	row = append(row, "AGE")
	for _, c := range kind.Columns {
		if c.Wide && wide {
			row = append(row, c.Name)
		}
	}
	return row
}

// cells are an object's row of the same columns.
func cells(kind v1.Kind, obj v1.Object, now time.Time, wide bool) []string {
	row := []string{obj.GetName()}
	for _, c := range kind.Columns {
		if !c.Wide {
			row = append(row, cell(c.Value(obj, now)))
		}
	}
	row = append(row, since(obj.GetCreationTimestamp().Time, now))
	for _, c := range kind.Columns {
		if c.Wide && wide {
			row = append(row, cell(c.Value(obj, now)))
		}
	}
	return row
}

// cell is a column's value as a table shows it.
func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return "-"
	case string:
		return dash(firstLine(v))
	case time.Duration:
		return span(v)
	}
	return fmt.Sprint(value)
}

func runTime(job *v1.Job, now time.Time) string {
	if run, ok := job.RunTime(now); ok {
		return span(run)
	}
	return "-"
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

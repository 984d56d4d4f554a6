package print

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	v1 "jobwright.dev/api/v1"
)

// Table writes aligned columns.
type Table struct{ w *tabwriter.Writer }

// NewTable returns a table. The names of its columns, if any, are its first row.
func NewTable(out io.Writer, columns ...string) Table {
	t := Table{tabwriter.NewWriter(out, 0, 8, 3, ' ', 0)}
	if len(columns) > 0 {
		t.Row(columns...)
	}
	return t
}

// Row adds a row.
func (t Table) Row(cells ...string) { fmt.Fprintln(t.w, strings.Join(cells, "\t")) }

// Flush writes the rows, aligned.
func (t Table) Flush() error { return t.w.Flush() }

// columns returns the headings of a kind's table; wide columns come last.
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

// cells returns an object's row for the same columns.
func cells(kind v1.Kind, obj v1.Object, now time.Time, wide bool) []string {
	row := []string{obj.GetName()}
	for _, c := range kind.Columns {
		if !c.Wide {
			row = append(row, cell(c.Value(obj, now)))
		}
	}
	row = append(row, Since(obj.GetCreationTimestamp().Time, now))
	for _, c := range kind.Columns {
		if c.Wide && wide {
			row = append(row, cell(c.Value(obj, now)))
		}
	}
	return row
}

// cell formats a column's value.
func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return "-"
	case string:
		return Dash(FirstLine(v))
	case time.Duration:
		return Span(v)
	}
	return fmt.Sprint(value)
}

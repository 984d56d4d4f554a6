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

// NewTable returns a table that begins with the names of its columns, if there are any.
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
	row = append(row, Since(obj.GetCreationTimestamp().Time, now))
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
		return Dash(FirstLine(v))
	case time.Duration:
		return Span(v)
	}
	return fmt.Sprint(value)
}

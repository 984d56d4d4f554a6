package print

import (
	"io"
	"os"

	"golang.org/x/term"
)

// terminal reports whether w is a terminal that may show colours and a moving bar.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

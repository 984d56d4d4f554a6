package serve

import (
	"io"
	"log/slog" //nolint:depguard // the logger is made here, once
	"net/http"

	"github.com/go-logr/logr"
)

// newLogger returns the logger of --log-format.
func newLogger(format string, out io.Writer) logr.Logger {
	if format == "json" {
		return logr.FromSlogHandler(slog.NewJSONHandler(out, nil))
	}
	return logr.FromSlogHandler(slog.NewTextHandler(out, nil))
}

// logErrors has a server report its errors to the logger.
func logErrors(s *http.Server, to logr.Logger) {
	s.ErrorLog = slog.NewLogLogger(logr.ToSlogHandler(to), slog.LevelWarn)
}

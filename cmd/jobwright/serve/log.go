package serve

import (
	"io"
	"log"
	"log/slog" //nolint:depguard // the logger is made here, once

	"github.com/go-logr/logr"
)

// newLogger returns the logger of --log-format.
func newLogger(format string, out io.Writer) logr.Logger {
	if format == "json" {
		return logr.FromSlogHandler(slog.NewJSONHandler(out, nil))
	}
	return logr.FromSlogHandler(slog.NewTextHandler(out, nil))
}

// errorLog is the logger for what net/http reports.
func errorLog(to logr.Logger) *log.Logger {
	return slog.NewLogLogger(logr.ToSlogHandler(to), slog.LevelWarn)
}

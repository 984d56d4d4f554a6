package serve

import (
	"io"
	"log"
	"log/slog" //nolint:depguard // the logger is made here, once

	"github.com/go-logr/logr"

	"jobwright.dev/cmd/jobwright/cli"
)

// newLogger returns the logger of --log-format.
func newLogger(format string, out io.Writer) (logr.Logger, error) {
	switch format {
	case "text":
		return logr.FromSlogHandler(slog.NewTextHandler(out, nil)), nil
	case "json":
		return logr.FromSlogHandler(slog.NewJSONHandler(out, nil)), nil
	}
	return logr.Logger{}, cli.Usagef("--log-format %q: supported values: text, json", format)
}

// errorLog is the logger for what net/http reports.
func errorLog(to logr.Logger) *log.Logger {
	return slog.NewLogLogger(logr.ToSlogHandler(to), slog.LevelWarn)
}

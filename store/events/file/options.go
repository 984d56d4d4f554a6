package file

import (
	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
)

// Defaults and bounds of Options.
const (
	// DefaultMaxBytes holds some 270,000 events of usual length: those of a day with
	// one job a second.
	DefaultMaxBytes = 64 << 20
	// defaultPerJob is far more than a job has that a person looks into, and keeps one
	// that fails ten thousand times from filling every answer.
	defaultPerJob = 100

	minMaxBytes = shares * minSegment
	minSegment  = 2 * maxLine
	// maxPending bounds what waits to be written: four thousand events, which is what a
	// disk that hangs for a second costs at the highest rate of transitions.
	maxPending = 1 << 20
	// shares is how many segments MaxBytes is divided into: dropping the oldest costs one
	// sixteenth of what is kept.
	shares = 16
)

// Options configure an Archive. Dir is required.
type Options struct {
	// Dir is the folder of the segments; it is made when it is missing.
	Dir string
	// MaxBytes bounds all segments together; 0: DefaultMaxBytes. The least is 512 KiB.
	MaxBytes int64
	// PerJob is how many of a job's events, the newest, are read; 0: defaultPerJob.
	PerJob int
	// Registerer takes the metrics; nil: they are counted and not exported.
	Registerer prometheus.Registerer
	Log        logr.Logger
}

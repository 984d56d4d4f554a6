// Package print writes what commands show: objects as tables, YAML, JSON or by jsonpath,
// durations, the progress of a job.
//
// The jsonpath output uses client-go's util/jsonpath, the only implementation of the
// template language that kubectl users know; of client-go nothing else is linked.
package print

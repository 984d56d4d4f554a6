// Package print writes the output of commands: objects as tables, YAML, JSON or jsonpath
// results, durations, and the progress of a job.
//
// The jsonpath output uses client-go's util/jsonpath, the only implementation of the
// template language that kubectl users know; nothing else of client-go is linked.
package print

// Package eventview shows the events of jobs as core/v1 Events: the conversion, the query of
// a request, and the rows of the tables that kubectl prints. It reads no store.
package eventview

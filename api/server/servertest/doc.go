// Package servertest has what tests need that start a server as a process of its own.
package servertest

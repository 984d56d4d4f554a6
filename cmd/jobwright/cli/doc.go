// Package cli holds what every command of jobwright shares: the invocation (its streams,
// server and workspace), flags from environment and file, contexts, and exit codes.
package cli

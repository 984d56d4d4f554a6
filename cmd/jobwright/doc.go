// Command jobwright runs MCP tool calls, docker compose operations and HTTP calls as
// durable, declarative jobs. `jobwright serve` is the server; the other commands are its
// clients, or work on a data folder.
//
//	main.go, root.go   the command line and its exit codes
//	cli                the invocation: streams, server, workspace, flags, contexts, exit codes
//	serve              the server: open, recover, wire, serve, shut down
//	commands           clients: objects, jobs, run, mcp; local asks no server
//	offline            commands on a data folder: backup, restore, compact, fsck, import
//	selection          arguments to objects
//	manifest           manifests to objects
//	print              tables, YAML, JSON, durations, progress
//	datadir            the data folder's identities
//
// main only calls execute, which receives its arguments and streams as parameters, so that
// tests can call it in process. Each command has a file of its own, named after it.
//
// # Exit codes
//
//	0 succeeded   1 error   2 usage   3 job failed   4 job canceled   5 timed out
package main

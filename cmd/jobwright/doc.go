// Command jobwright runs MCP tool calls, docker compose operations and HTTP calls as
// durable, declarative jobs: `jobwright serve` is the server, every other command its
// client, but for those that work on a data folder.
//
//	main.go, root.go   the command line and its exit codes
//	cli                the invocation: streams, server, workspace, flags, contexts, exit codes
//	serve              the server: open, recover, wire, serve, shut down
//	commands           clients: objects, jobs, run, mcp; local asks no server
//	offline            commands on a data folder: backup, restore, compact, fsck, import
//	selection          the objects that arguments name
//	manifest           the objects of manifests
//	print              tables, YAML, JSON, durations, progress
//	datadir            the data folder's identities
//
// main does nothing but call execute, which takes everything it needs from the outside
// (arguments, streams), so that tests call it in process. Each command stands in a file
// of its own, named after it.
//
// # Exit codes
//
//	0 succeeded   1 error   2 usage   3 job failed   4 job canceled   5 timed out
package main

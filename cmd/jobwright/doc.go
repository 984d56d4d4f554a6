// Command jobwright runs MCP tool calls, docker compose operations and HTTP calls as
// durable, declarative jobs: `jobwright serve` is the server, every other command its
// client.
//
// main does nothing but call run, which takes everything it needs from the outside
// (arguments, streams, environment), so that tests call it in process. Each command
// stands in a file of its own, named after it.
//
// jsonpath output uses client-go's util/jsonpath, the only implementation of the
// template language that kubectl users know; of client-go nothing else is linked.
//
// # Exit codes
//
//	0 succeeded   1 error   2 usage   3 job failed   4 job canceled   5 timed out
package main

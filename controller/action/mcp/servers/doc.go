// Package servers is the MCP servers of the operator's file, each with its warm sessions.
//
// A session serves one workspace, because a server keeps state: a browser's page, a working
// directory, a login. Only where the operator's file says "shared": true do all workspaces
// use the same sessions; that is for servers that keep nothing between two calls. What a
// server keeps outside of its sessions, in files or behind an address, is the same for all
// workspaces: the operator gives each its own, or does not offer the server.
//
// A program runs once for each workspace that uses it, with one call at a time: two
// processes that write one file lose what the other wrote. "sessions" in the operator's
// file allows more; --mcp-sessions is for servers behind HTTP and shared ones. All programs
// together are at most --mcp-max-processes; idle ones are ended for those that are needed.
//
// A job may name its session (spec.build.session). Jobs of a workspace with the same name
// get the same session, one after another in submit order. A named session is beside those
// without a name, unless the operator has set "sessions", and is closed for no other: only
// when it was idle for IdleTime, when it breaks, or when a call in it is canceled. The log
// says which session a job got, because one that has ended has lost its state.
//
// # Invariants
//
//  1. Servers share nothing: a broken one holds up its own callers alone.
//  2. Jobs wait for a session in the controller's queue (key.go). A job whose session takes
//     its time to come gives its slot to other jobs meanwhile (take.go).
//  3. Reload closes the pools of servers that changed. Calls under way end on the session
//     that they have; who waits for a session gets one of the new definition.
//  4. A server's container that a dead worker has left is removed before an attempt of the
//     server is recovered (sweep.go).
package servers

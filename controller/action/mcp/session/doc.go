// Package session is one session with one MCP server: its start, the introduction, calls of
// tools, the server's output meanwhile, and its end.
//
// A session serves one call at a time, so that progress, log lines and a cancel belong to
// exactly one attempt. Its user calls Begin before a call and Rest after it; package servers
// decides who the user is. A session that broke, or whose call was canceled, is not used
// again.
//
//	Connect ──► idle ──Begin, Call──► calling ──Rest──► idle ──► Close
//	   │          │                      │
//	   │          │                      └──canceled, broken──► Close: stdin closed, SIGTERM, SIGKILL
//	   │          └──died, no sign of life──► Close
//	   └── version.go: the version of the protocol; start.go: the time that a start may take
//
// # Start
//
// A server has startTimeoutSeconds of the operator's file to start and to introduce itself;
// unset: ten minutes for a program, two for a url. Meanwhile the step of the job shows the
// server's last line. A program that ends at the first question of today's protocol, or that
// has read the question and then says nothing for a minute, is started once more and spoken
// to in the protocol before. A program that has not read the question yet, has answered it,
// or writes anything, is still starting and is not started again.
//
// # Output
//
// Lines on stderr, and lines on stdout that are no messages, are a server's output: package
// managers greet on stdout, and loggers write JSON there. Output before an answer belongs to
// the call. Output between two calls goes to Jobwright's own log, even if it is read only
// when the next call is under way (program.Mark). A session that has written so late is used
// again only after a silence. In the first second after a call of another
// workspace, the output of a shared server goes to Jobwright's own log too. Output of an
// earlier call that comes first in the middle of the next call of the same workspace cannot
// be told from that call's.
//
// # Questions of a server
//
// Jobwright declares elicitation only where the operator's file allows it, because servers
// that may ask do not go on by themselves; roots only where the file names some; and no
// sampling. A question comes as a request or, since protocol 2026-07-28, as a result that
// wants input. Roots are answered from the operator's file, elicitation by package
// questions, sampling with an error. The job's log has each question and its answer.
//
// # Invariants
//
//  1. No request waits for longer than its context: neither for a server that does not
//     read, nor for one that is gone while its children hold its stdout (health.go).
//  2. A question is answered at once (client.go).
//  3. The end of an idle session is seen at once. A session that was idle for a second, or
//     is behind HTTP, is asked for a sign of life before a call.
//  4. After Close nothing of a program is left, as far as that can be known; Stopped tells
//     of anything that may be left.
//  5. Every text of a server, in a log line or in an error, has *** in place of the
//     operator's secrets (Redact).
package session

// Package schedule decides which queued job runs next. It is pure: it holds queued and
// live jobs in memory, takes the time as an argument and starts nothing. One goroutine
// at a time uses it.
//
//	              ┌─ workspace A ── group (key 1): job job job
//	fair share ───┤               └ group (no key): job job        by effective priority
//	              └─ workspace B ── group (key 1): job
//	                                   │ parked: key taken, rate used up, suspended
//	              jobs with NotBefore ─┘ wait on one clock
//
// # Rules
//
//  1. Between workspaces: weighted fair share of the time that slots are held. Each
//     workspace has a virtual time, which rises by the time its jobs held slots
//     divided by its weight; the one that lies furthest back is next. A start is
//     charged with the workspace's mean run time and corrected when the job ends, so
//     that many starts at once do not run ahead of their charge. A workspace that was
//     idle starts at the present virtual time: it is owed nothing for having slept.
//  2. Priorities order the jobs of one workspace only: what another tenant calls urgent
//     says nothing here.
//  3. Within a workspace the effective priority is the priority plus one for each
//     Options.Ageing of waiting. All jobs age alike, so the order of two jobs never
//     changes: it is that of Since − priority·Ageing, then of the uid. Hence nothing
//     starves: a job is overtaken only by jobs that came at most 2000·Ageing later.
//  4. A limit is judged by the jobs that are live now (Live, Next … Release), never by
//     a stored flag; a job is judged by its own limit.
//  5. What is blocked holds up nobody else: jobs with the same key and rate form a
//     group, and a group that cannot run is set aside until a release, a moment or a
//     change of policy lets it.
//  6. Within a group with Item.InOrder the order is that of Since and uid alone, and a
//     job that waits for its retry (Item.HoldsPlace) keeps those behind it waiting: of
//     two deploys of one project the later one always has the last word.
//  7. A rate limit is a sliding window: in no window of Rate.Per lie more than
//     Rate.Limit starts.
//  8. Nothing depends on the order of a map: the same calls give the same answers.
//
// # Cost
//
// Upsert, Remove, Next and Release cost O(log n) and, for a key, O(workspaces that use
// it); nothing scans the queue but Explain, which answers a person's question.
package schedule

// Package schedule decides which queued job runs next. It is pure: it holds queued and
// live jobs in memory, takes the time as an argument and starts nothing. It is not safe
// for concurrent use.
//
//	Queue ── workspace A ── lane (build)          ── group (key 1, limit 1)  job job job
//	  │   │               └ lane (api_call, rate) ┬─ group (no key)          job job
//	  │   │                                       └─ group (key 2, limit 3)  job
//	  │   └─ workspace B ── lane (deploy)         ── group (key 3, limit 1)  job
//	  │          fair share        suspension, rate         live jobs        priority, age
//	  ├─ line (key 3): job job job   deploys of one project: the first is in its group
//	  └─ clock: jobs and lanes that wait for a moment
//
// Every level is a heap that holds only what may start as far as that level and those
// below it go; what may not is closed, that is, absent from the heap above, until a
// release, a moment or a change of policy lets it in again. The first of the first of
// the first is the next job.
//
// # Invariants
//
// The tests refer to them by number.
//
//  1. Shares. Between workspaces the time for which slots are held is shared by weight.
//     Each workspace has a virtual time, which rises by the slot time of its jobs
//     divided by its weight; of those that have a job ready, the one that lies furthest
//     back is served. A start is charged with the workspace's mean run time, a job that
//     runs for longer is charged by instalments, and the charge is corrected when the job
//     ends. A workspace can therefore gain nothing by starting many jobs at once or by
//     running long ones.
//  2. No hoarding. A workspace that had nothing ready while others were served comes
//     back at the present virtual time: it is owed nothing for having slept. What it
//     has had too much of (a debt) it keeps, until a sweep forgets it.
//  3. Priorities order the jobs of one workspace. What another tenant calls urgent says
//     nothing here.
//  4. Ageing. The effective priority is Priority + waiting/Ageing. All jobs age alike,
//     so the order of two jobs never changes: it is that of Since − Priority·Ageing,
//     then of the UID. Hence a job is overtaken only by jobs that came less than
//     (their priority − its own)·Ageing after it, and none starves.
//  5. Limits. Never are more than Item.Limit jobs with a key live when Next hands out
//     that item, nor more than MaxRunning of a workspace, nor more than Slots. All are
//     judged by the jobs that are live (Live, LiveElsewhere, Next … Release), never by a stored flag,
//     and a job by its own limit. Live may exceed them: those jobs run already.
//  6. Rates. No half-open window of Rate.Per holds more than Rate.Limit starts, those
//     before a restart (Started) included; and nothing starts before a Hold ends.
//  7. What is blocked holds up nobody else, except within its line.
//  8. Lines. The jobs with Item.InOrder start in the order of Since and UID within
//     their key, across workspaces. One that waits for its retry (Item.HoldsPlace), for
//     a rate or for its workspace's MaxRunning keeps the others waiting, for it ends by
//     itself. One that waits for a person (a suspended workspace or type, MaxRunning 0)
//     or for its startAfter does not stand in the line and takes its place when that is
//     over. A line competes with the rest of a workspace by the priority of its first.
//  9. Work is conserved. Next returns false only if no queued job may start.
//  10. Due is never late: between two calls of Next nothing may start before Due by the
//     passing of time alone.
//  11. An explanation is never empty, but for the job that Next hands out.
//  12. The same calls give the same answers: no decision depends on the order of a map.
//
// # Cost
//
// Upsert, Remove, Next and Release cost O(log n), and for a key or a rate O(lanes and
// groups that share it), of which there is one for each workspace, type and limit that
// uses it. Nothing scans the queue but the begin and end of a suspension.
//
// # Why not
//
//   - Shares of starts instead of slot time: a workspace whose jobs run an hour would
//     get sixty times the slots of one whose jobs run a minute.
//   - The true slot time so far as the order of workspaces, without a charge ahead: it
//     changes with every moment and differently for each, so no heap could hold it; and
//     all free slots of one moment would go to one workspace.
//   - Priorities across workspaces: they would be raised until they say nothing.
//   - One heap and skipping what is blocked: a thousand blocked jobs at its top would be
//     looked at by every decision.
package schedule

// Package web is the page at /jobs: HTML, CSS and JavaScript that are committed as
// they are served, embedded into the binary, with no build step and nothing
// fetched from elsewhere.
//
// # How the page works
//
// It is a client of the API like any other, with no route of its own: it lists the
// newest jobs, watches from the list's resourceVersion, follows a job's log from an
// offset and creates, cancels and deletes through the same endpoints as everyone
// else.
//
//	main.js      addresses (#/jobs/NAME, #/new), workspace, header, keyboard
//	feed.js      list → watch → (410: list again) → …, with back-off
//	model.js     the jobs that are held: newest first, bounded
//	list.js      rows, updated at most once a frame
//	detail.js    one job: status, actions, facts, conditions, manifest
//	logview.js   its log, followed, the last 5,000 lines
//	form.js      the form that creates a job
//	api.js       requests, errors in the server's words, streams of lines
//	format.js    times, durations, what a job is called
//	dom.js       elements, icons, copying
//
// # Invariants
//
//  1. Data enters the document as text only. The content security policy demands
//     Trusted Types and allows no policy, so innerHTML with data fails in the
//     browser, not in review.
//  2. Nothing polls. A hidden tab gives its streams back after a minute: browsers
//     open six connections to one HTTP/1.1 origin, and forgotten tabs must not
//     starve the one in use. They resume where they stopped.
//  3. What is held is bounded: 200 rows for each page asked for, 5,000 log lines.
//  4. Assets live below /jobs/-/HASH/, HASH being that of all of them together:
//     relative imports stay as they are written, the browser keeps them for ever,
//     and no mixture of two versions can be loaded. The page itself is revalidated.
//  5. State is never shown by colour alone: each phase has its word and its shape.
package web

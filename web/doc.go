// Package web serves the page at /jobs: HTML, CSS and JavaScript, committed in the form
// that is served and embedded into the binary. There is no build step, and the page loads
// nothing from other hosts.
//
// # How the page works
//
// The page is a client of the API without routes of its own. It lists the newest jobs,
// watches from the list's resourceVersion, follows a job's log from an offset, and creates,
// cancels, retries and deletes jobs through the same endpoints as other clients.
//
//	main.js      addresses (#/jobs/NAME, #/new), workspace, header, keyboard
//	feed.js      list → watch → (410: list again) → …, with back-off
//	model.js     the loaded jobs: newest first, bounded
//	list.js      rows, updated at most once a frame
//	detail.js    one job: status, actions, facts, conditions, manifest
//	logview.js   its log, followed, the last 5,000 lines
//	form.js      the form that creates a job
//	api.js       requests, errors in the server's words, streams of lines
//	format.js    times, durations, titles of jobs
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
//  3. Memory is bounded: 200 rows for each requested page, 5,000 log lines.
//  4. Assets have URLs below /jobs/-/HASH/, with one hash of all assets: relative imports
//     work unchanged, browsers cache assets for ever, and no mixture of two versions can
//     be loaded. The page itself is revalidated.
//  5. Colour is never the only sign of a state: each phase has a word and a shape.
package web

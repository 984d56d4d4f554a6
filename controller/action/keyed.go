package action

import (
	v1 "jobwright.dev/api/v1"
)

// Keyed is a Runner whose jobs have a concurrency key although their spec names none: those
// that change one compose project, or that need the one process of an MCP server.
type Keyed interface {
	// Key is what of a job may not run more often at once. It is quick: the controller calls
	// it whenever a job is placed in the queue.
	Key(job *v1.Job) Key
}

// Key limits how many jobs run at once. The zero Key limits none.
type Key struct {
	// Name is what the jobs have in common; it holds across workspaces, unless the workspace
	// is part of it.
	Name string
	// Limit is how many of them may run.
	Limit int
	// InOrder has them start in submit order. One that waits for its retry keeps the others
	// waiting.
	InOrder bool
	// Subject says for a person what is limited, e.g. "its compose project".
	Subject string
}

package server

import (
	"context"
	"io"

	v1 "jobwright.dev/api/v1"
)

// Worker is what the server asks the process that runs the jobs. Each part has its own
// interface, because a different room of the worker answers it.
type Worker interface {
	Explainer
	Planner
	RevisionHistory
	ProjectKeeper
	MCPServers
}

// Explainer tells why a job waits.
type Explainer interface {
	// Blockers are why a job is queued, for status.blockedBy.
	Blockers(context.Context, *v1.Job) ([]v1.Blocker, error)
	// Explain tells of a job in any phase.
	Explain(context.Context, *v1.Job) (*v1.JobExplanation, error)
}

// Planner tells what a job would do.
type Planner interface {
	// Plan returns what a valid job would do, and an error when this cannot be determined.
	Plan(context.Context, *v1.Job) (*v1.Plan, error)
}

// RevisionHistory has the good states of compose projects. It returns the revisions of the
// given workspace only; nothing reveals that another workspace has any.
type RevisionHistory interface {
	// History is a project's revisions, the newest first, each with its compose file and
	// the difference to the one before it.
	History(workspace, project string) ([]v1.Revision, error)
	// Newest is the newest revision of each project, by the project's name.
	Newest(workspace string) ([]v1.Revision, error)
}

// ProjectKeeper has the compose projects of workspaces. Nothing reveals that another workspace has
// one.
type ProjectKeeper interface {
	// Projects are a workspace's, sorted by name, with what runs of them.
	Projects(ctx context.Context, workspace string) ([]v1.Project, error)
	// Forget removes what is kept of a project. Errors: NotFound, and Conflict while the
	// project has containers.
	Forget(ctx context.Context, workspace, project string) error
}

// MCPServers are the operator's MCP servers. They are the same for every workspace, and
// nothing of what is told of them belongs to one workspace, except for sessions.
type MCPServers interface {
	// Servers tells what is known of each server; it starts none.
	Servers() []v1.MCPServer
	// Sessions are the open sessions that serve a workspace: its own and those of shared
	// servers.
	Sessions(workspace string) []v1.MCPSession
	// Tools lists the tools of one server, and starts the server if need be.
	Tools(ctx context.Context, server string) ([]v1.MCPTool, error)
}

// Operator is what the server's operator asks of the process that serves.
type Operator interface {
	// Ready returns why the process cannot do its work; nil: it can.
	Ready(context.Context) error
	// Notices are what an operator should know of a process that is ready all the same.
	// /readyz and the page show them.
	Notices() []string
	// Backup writes a consistent copy of the whole store.
	Backup(context.Context, io.Writer) error
}

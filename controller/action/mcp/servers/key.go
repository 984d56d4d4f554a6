package servers

import (
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// Key is the concurrency key of builds: no more jobs run at once than there are sessions for
// them. The other jobs wait in the queue, without a slot, and hold up nobody.
func (set *Set) Key(job *v1.Job) action.Key {
	build := job.Spec.Build
	if build == nil {
		return action.Key{}
	}
	srv := set.Meant(build.Server)
	if srv == nil || srv.def.Unusable() != "" {
		return action.Key{} // the run of the job tells the reason
	}
	at := srv.line(User{Workspace: job.Namespace, Session: build.Session})
	key := action.Key{
		Name: strings.Join([]string{"mcp", srv.name, at.Workspace, at.Name}, "/"), Limit: srv.calls(),
		Subject: "MCP server " + srv.name,
	}
	if at.Name != "" {
		// Jobs of a named session run in submit order.
		key.Limit, key.InOrder, key.Subject = 1, true, "session "+at.Name+" of MCP server "+srv.name
	}
	return key
}

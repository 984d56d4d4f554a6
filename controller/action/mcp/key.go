package mcp

import (
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// Key is the concurrency key of builds: no more jobs run at once than there are sessions for them.
// The others wait in the queue, where they hold up nobody, instead of with a slot.
func (r *Runner) Key(job *v1.Job) action.Key {
	build := job.Spec.Build
	if build == nil {
		return action.Key{}
	}
	p := r.meant(build.Server)
	if p == nil || p.server.Unusable() != "" {
		return action.Key{} // its run says what is wrong
	}
	at := p.line(user{workspace: job.Namespace, session: build.Session})
	key := action.Key{
		Name: strings.Join([]string{"mcp", p.name, at.Workspace, at.Name}, "/"), Limit: p.calls(),
		Subject: "MCP server " + p.name,
	}
	if at.Name != "" {
		// What belongs together happens in the order in which it was submitted.
		key.Limit, key.InOrder, key.Subject = 1, true, "session "+at.Name+" of MCP server "+p.name
	}
	return key
}

// meant is the pool of the server that a job means; nil: there is none.
func (r *Runner) meant(server string) *pool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if server == "" && len(r.pools) == 1 {
		for _, p := range r.pools {
			return p
		}
	}
	return r.pools[server]
}

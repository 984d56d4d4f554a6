package servers

import (
	"reflect"
	"slices"

	"jobwright.dev/controller/action/mcp/config"
)

// Reload takes over another configuration, and returns the names of the servers that are
// new, gone or defined in another way. Calls under way end on the session that they
// have; calls that wait for a session, or come later, get the new definition. Reload returns
// when the idle sessions of the old definitions have ended.
func (set *Set) Reload(c *config.Config) []string {
	set.mu.Lock()
	if set.closed {
		set.mu.Unlock()
		return nil
	}
	var changed []string
	var old []*Server
	for name, srv := range set.servers {
		server, ok := c.Servers[name]
		if ok && reflect.DeepEqual(server, srv.def) {
			continue
		}
		changed, old = append(changed, name), append(old, srv)
		if delete(set.servers, name); !ok {
			set.metrics.forget(name)
		}
	}
	for name, server := range c.Servers {
		if set.servers[name] == nil {
			set.servers[name] = newServer(set, name, server)
			if !slices.Contains(changed, name) {
				changed = append(changed, name)
			}
		}
	}
	set.config = c
	set.mu.Unlock()
	set.complain(c)
	closeAll(old, errReplaced)
	slices.Sort(changed)
	return changed
}

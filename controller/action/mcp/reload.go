package mcp

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"
)

// Reload takes over another configuration, and returns the names of the servers that are
// new, gone or defined in another way. Calls under way end on the session that they
// have; who waits for one, or comes later, gets the new definition. It returns when the
// idle sessions of the old ones have ended.
func (r *Runner) Reload(config *Config) []string {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	var changed []string
	var old []*pool
	for name, p := range r.pools {
		server, ok := config.Servers[name]
		if ok && reflect.DeepEqual(server, p.server) {
			continue
		}
		changed, old = append(changed, name), append(old, p)
		if delete(r.pools, name); !ok {
			r.metrics.forget(name)
		}
	}
	for name, server := range config.Servers {
		if r.pools[name] == nil {
			r.pools[name] = newPool(r, name, server)
			if !slices.Contains(changed, name) {
				changed = append(changed, name)
			}
		}
	}
	r.config = config
	r.mu.Unlock()
	r.complain(config)
	closeAll(old, errReplaced)
	slices.Sort(changed)
	return changed
}

// complain logs which servers cannot be used, and what of the others is hardly meant.
func (r *Runner) complain(config *Config) {
	for _, name := range slices.Sorted(maps.Keys(config.Servers)) {
		server := config.Servers[name]
		if len(server.Problems) > 0 {
			r.opts.Log.Error(errors.New(server.Unusable()), "an MCP server cannot be used; jobs for it fail", "server", name)
		}
		for _, warning := range server.Warnings {
			r.opts.Log.Info("a key of the MCP servers is hardly meant as it stands", "server", name, "key", warning.String())
		}
	}
}

func closeAll(pools []*pool, why error) {
	var ending sync.WaitGroup
	for _, p := range pools {
		ending.Go(func() { p.sessions.Close(why) })
	}
	ending.Wait()
}

// find is the name of the server that a job means.
func (r *Runner) find(server string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.config.Find(server)
}

// take returns a session of a server, and the pool that gets it back; see pool.take.
func (r *Runner) take(ctx context.Context, name string, u user) (*pool, *session, error) {
	return r.takeWithin(ctx, ctx, name, u)
}

// takeWithin is take that waits for its turn as long as queue lasts.
func (r *Runner) takeWithin(queue, ctx context.Context, name string, u user) (*pool, *session, error) {
	for {
		r.mu.Lock()
		p := r.pools[name]
		r.mu.Unlock()
		if p == nil {
			return nil, nil, errors.New("it was removed from the --mcp-config file")
		}
		if why := p.server.Unusable(); why != "" {
			return nil, nil, errors.New(why)
		}
		s, err := p.take(queue, ctx, u)
		if !errors.Is(err, errReplaced) {
			return p, s, err
		}
	}
}

// current is the pools as they are, by name.
func (r *Runner) current() map[string]*pool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.pools)
}

package job

import (
	"context"
	"errors"
	"slices"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/store"
)

// dependOn notes which jobs this one waits for; nil: none any more. The caller holds
// mu.
func (c *Controller) dependOn(e *entry, job *v1.Job) {
	var depends []string
	if job != nil && !job.Finished() {
		for _, d := range job.Spec.DependsOn {
			depends = append(depends, d.Name)
		}
	}
	if slices.Equal(depends, e.depends()) {
		return
	}
	for _, name := range e.depends() {
		on := c.dependency(e, name)
		delete(c.dependents[on], e)
		if len(c.dependents[on]) == 0 {
			delete(c.dependents, on)
		}
	}
	for _, name := range depends {
		on := c.dependency(e, name)
		if c.dependents[on] == nil {
			c.dependents[on] = map[*entry]struct{}{}
		}
		c.dependents[on][e] = struct{}{}
	}
	c.turn++
	if len(depends) == 0 {
		e.own().waits = nil
		e.tidy()
		if c.waiting[e.key()] == e {
			delete(c.waiting, e.key())
		}
		return
	}
	e.own().waits = &waits{names: depends, since: c.turn}
	c.waiting[e.key()] = e
}

// depends are the names in the job's dependsOn.
func (e *entry) depends() []string {
	if w := e.some().waits; w != nil {
		return w.names
	}
	return nil
}

func (c *Controller) dependency(e *entry, name string) store.Key {
	return jobKey(e.workspace.Value(), name)
}

// wakeDependents has every job looked at that waits for the one with that key. The
// caller holds mu.
func (c *Controller) wakeDependents(key store.Key) {
	for e := range c.dependents[key] {
		c.queue.Add(e)
	}
}

// waitsForOthers reports whether other jobs decide about the start of this one.
func waitsForOthers(job *v1.Job) bool {
	return len(job.Spec.DependsOn) > 0 && job.Status.CurrentAttempt == nil
}

// dependencies is what is known of the jobs that a queued job waits for.
func (c *Controller) dependencies(ctx context.Context, e *entry, job *v1.Job) ([]lifecycle.Dependency, error) {
	if !waitsForOthers(job) {
		return nil, nil
	}
	known := make([]lifecycle.Dependency, len(job.Spec.DependsOn))
	for i, d := range job.Spec.DependsOn {
		if met(job, d.Name) {
			continue
		}
		record, err := c.Store.Get(ctx, c.dependency(e, d.Name))
		switch {
		case errors.Is(err, store.ErrNotFound):
			continue
		case err != nil:
			return nil, err
		}
		known[i] = lifecycle.Dependency{UID: record.UID()}
		finished, err := record.Finished()
		if err == nil {
			known[i].Phase, err = record.Phase()
		}
		if err != nil {
			return nil, err
		}
		if !finished {
			if known[i].Phase.Terminal() {
				known[i].Phase = v1.JobQueued // it is to run again
			}
			known[i].Cycle = c.cycle(e.key(), record.Key())
		}
	}
	return known, nil
}

func met(job *v1.Job, name string) bool {
	return slices.ContainsFunc(job.Status.Dependencies, func(d v1.DependencyStatus) bool { return d.Met && d.Name == name })
}

// cycle is the way from one job over a dependency back to itself; nil: there is none.
// The API refuses cycles; this finds those that came with an edited jobs.json.
//
// A walk ends at a job that was found in no cycle since this one depends on what it
// does now: of a cycle's members the first one asked after the last one came finds it.
// So a long chain, asked from its old end, costs each job one step and not all of them.
// What a walk finds out that ended so is only as new as what it ended at: a job that came
// since may have closed a cycle behind it.
func (c *Controller) cycle(from, over store.Key) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.waiting[from]
	if e == nil {
		return nil // only asked about, or gone
	}
	waits := e.rare.waits
	c.turn++
	asOf := c.turn
	var way []string
	if len(c.dependents[from]) > 0 { // otherwise nothing leads back
		way = findCycle(from, over, func(key store.Key) []string {
			other := c.waiting[key]
			switch {
			case other == nil:
				return nil
			case other.rare.waits.inNoCycle > waits.since:
				asOf = min(asOf, other.rare.waits.inNoCycle)
				return nil
			}
			return other.rare.waits.names
		})
	}
	if way == nil && len(waits.names) == 1 && waits.names[0] == over.Name {
		waits.inNoCycle = max(waits.inNoCycle, asOf)
	}
	return way
}

// findCycle walks along dependsOn from over until it meets from again.
func findCycle(from, over store.Key, dependsOn func(store.Key) []string) []string {
	seen := map[string]bool{}
	var walk func(name string) []string
	walk = func(name string) []string {
		if name == from.Name {
			return []string{name}
		}
		if seen[name] {
			return nil
		}
		seen[name] = true
		for _, next := range dependsOn(store.Key{Kind: from.Kind, Namespace: from.Namespace, Name: name}) {
			if way := walk(next); way != nil {
				return append([]string{name}, way...)
			}
		}
		return nil
	}
	if way := walk(over.Name); way != nil {
		return append([]string{from.Name}, way...)
	}
	return nil
}

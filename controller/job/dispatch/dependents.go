package dispatch

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
func (d *Dispatcher) dependOn(e *entry, job *v1.Job) {
	var depends []string
	if job != nil && !job.Finished() {
		for _, on := range job.Spec.DependsOn {
			depends = append(depends, on.Name)
		}
	}
	if slices.Equal(depends, e.depends()) {
		return
	}
	for _, name := range e.depends() {
		on := d.dependency(e, name)
		delete(d.dependents[on], e)
		if len(d.dependents[on]) == 0 {
			delete(d.dependents, on)
		}
	}
	for _, name := range depends {
		on := d.dependency(e, name)
		if d.dependents[on] == nil {
			d.dependents[on] = map[*entry]struct{}{}
		}
		d.dependents[on][e] = struct{}{}
	}
	d.turn++
	if len(depends) == 0 {
		e.mutableExtra().dependencies = nil
		e.dropExtra()
		if d.waiting[e.key()] == e {
			delete(d.waiting, e.key())
		}
		return
	}
	e.mutableExtra().dependencies = &dependencies{names: depends, since: d.turn}
	d.waiting[e.key()] = e
}

// depends are the names in the job's dependsOn.
func (e *entry) depends() []string {
	if on := e.readExtra().dependencies; on != nil {
		return on.names
	}
	return nil
}

func (d *Dispatcher) dependency(e *entry, name string) store.Key {
	return jobKey(e.workspace.Value(), name)
}

// wakeDependents queues every job that waits for the job with that key. The caller holds
// mu.
func (d *Dispatcher) wakeDependents(key store.Key) {
	for e := range d.dependents[key] {
		d.queue.Add(e)
	}
}

// waitsForOthers reports whether other jobs decide about the start of this one.
func waitsForOthers(job *v1.Job) bool {
	return len(job.Spec.DependsOn) > 0 && job.Status.CurrentAttempt == nil
}

// dependencies is what a job depends on.
type dependencies struct {
	names []string // in spec.dependsOn
	// When names came to be as they are, and when they last led back in no way, as turns.
	since, onNoCycle uint64
}

// readDependencies reads the jobs that a queued job waits for.
func (d *Dispatcher) readDependencies(ctx context.Context, e *entry, job *v1.Job) ([]lifecycle.Dependency, error) {
	if !waitsForOthers(job) {
		return nil, nil
	}
	known := make([]lifecycle.Dependency, len(job.Spec.DependsOn))
	for i, on := range job.Spec.DependsOn {
		if met(job, on.Name) {
			continue
		}
		record, err := d.Store.Get(ctx, d.dependency(e, on.Name))
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
			known[i].Cycle = d.cycle(e.key(), record.Key())
		}
	}
	return known, nil
}

func met(job *v1.Job, name string) bool {
	return slices.ContainsFunc(job.Status.Dependencies, func(d v1.DependencyStatus) bool { return d.Met && d.Name == name })
}

// cycle is the path from a job over one of its dependencies back to itself; nil: none.
// The API refuses cycles; this finds those that came with an edited jobs.json.
//
// The walk stops at a job already known to be on no cycle, if that was established after
// this job's dependencies were last set. A long chain therefore costs one step per job. A
// result reached that way is only as recent as the job it stopped at: one that arrived
// later may have closed a cycle.
func (d *Dispatcher) cycle(from, over store.Key) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.waiting[from]
	if e == nil {
		return nil // only asked about, or gone
	}
	waits := e.extra.dependencies
	d.turn++
	asOf := d.turn
	var way []string
	if len(d.dependents[from]) > 0 { // otherwise nothing leads back
		way = findCycle(from, over, func(key store.Key) []string {
			other := d.waiting[key]
			switch {
			case other == nil:
				return nil
			case other.extra.dependencies.onNoCycle > waits.since:
				asOf = min(asOf, other.extra.dependencies.onNoCycle)
				return nil
			}
			return other.extra.dependencies.names
		})
	}
	if way == nil && len(waits.names) == 1 && waits.names[0] == over.Name {
		waits.onNoCycle = max(waits.onNoCycle, asOf)
	}
	return way
}

// findCycle walks along dependsOn from over, each job once, until it meets from again. It
// remembers from where it came to each, and so takes as much time and memory as there are
// jobs on the way.
func findCycle(from, over store.Key, dependsOn func(store.Key) []string) []string {
	cameFrom := map[string]string{over.Name: from.Name}
	for next := []string{over.Name}; len(next) > 0; next = next[1:] {
		name := next[0]
		if name == from.Name {
			way := []string{name}
			for at := cameFrom[name]; at != from.Name; at = cameFrom[at] {
				way = append(way, at)
			}
			way = append(way, from.Name)
			slices.Reverse(way)
			return way
		}
		for _, on := range dependsOn(store.Key{Kind: from.Kind, Namespace: from.Namespace, Name: name}) {
			if _, seen := cameFrom[on]; !seen {
				cameFrom[on] = name
				next = append(next, on)
			}
		}
	}
	return nil
}

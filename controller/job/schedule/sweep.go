package schedule

// keep is how many workspaces or rate keys are kept before those of which nothing is
// left to know are looked for. It is searched again when as many have come as were
// left, so that a search costs O(1) a newcomer.
const keep = 1024

type sweepAt struct{ tenants, windows int }

// sweepTenants forgets the workspaces without a policy or a job, and with them their
// debts: among a thousand workspaces it matters little that one comes back at the
// present, and what is kept must be bounded.
func (q *Queue) sweepTenants() {
	for name, t := range q.tenants {
		p := t.policy
		plain := p.Weight <= 1 && !t.limited && !p.Suspended && len(p.SuspendedTypes) == 0
		if plain && t.queued == 0 && t.running == 0 {
			delete(q.tenants, name)
		}
	}
	q.sweepAt.tenants = max(keep, 2*len(q.tenants))
}

// sweepWindows forgets the rate keys without a job, a hold or a start that counts.
func (q *Queue) sweepWindows() {
	for name, w := range q.windows {
		if len(w.lanes) == 0 && !w.hold.After(q.now) && (len(w.starts) == 0 || !w.starts[len(w.starts)-1].Add(w.per).After(q.now)) {
			delete(q.windows, name)
		}
	}
	q.sweepAt.windows = max(keep, 2*len(q.windows))
}

package health

import (
	"time"

	v1 "jobwright.dev/api/v1"
)

const (
	// stableSeconds is how long a container without a health check must run before it
	// counts as up. Most programs that cannot work (a wrong variable, a missing file, no
	// database) end in their first seconds; 5 s is also what docker's own rolling updates
	// watch a new container for (docker service create --update-monitor).
	stableSeconds = 5
	// maxRestarts is how many restarts are let pass. The engine waits 100 ms before the
	// first and twice as long before each next one, so the sixth comes 6 s after the
	// first end: time for a program that dies until its database is up, and a crash loop
	// is still told within seconds.
	maxRestarts = 5
)

// Want is what is expected of the containers of a service.
type Want struct {
	// Stable is how long a container without a health check must have run.
	Stable time.Duration
	// MaxRestarts is how many restarts are let pass.
	MaxRestarts int
	// Expect is whether the containers are to run or to end; empty: either.
	Expect v1.ServiceExpectation
	// Containers is how many there must be at least.
	Containers int
}

// Wanted is what a deploy with that spec.deploy.health expects of a service.
func Wanted(h *v1.DeployHealth, service string, containers int) Want {
	w := Want{Stable: stableSeconds * time.Second, MaxRestarts: maxRestarts, Containers: containers}
	if h == nil {
		return w
	}
	own := h.Services[service]
	for _, seconds := range []*int32{h.StableSeconds, own.StableSeconds} {
		if seconds != nil {
			w.Stable = time.Duration(*seconds) * time.Second
		}
	}
	for _, restarts := range []*int32{h.MaxRestarts, own.MaxRestarts} {
		if restarts != nil {
			w.MaxRestarts = int(*restarts)
		}
	}
	w.Expect = own.Expect
	return w
}

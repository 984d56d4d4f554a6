package compose

import (
	"strings"
	"sync"
)

// course is what docker compose's own progress tells of a deploy: which stage it is at,
// what it does for each service, which containers it has made, and what went wrong.
type course struct {
	model model

	mu   sync.Mutex
	last map[string]event // by what compose names
	made map[string]bool  // names of containers that this attempt has begun to make
	errs []event
}

func newCourse(m model) *course {
	return &course{model: m, last: map[string]event{}, made: map[string]bool{}}
}

// add takes in an event. It returns the stage, whether anything has moved, and what the
// event says of which services.
func (c *course) add(e event) (at stage, moved bool, services []string, state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.Error || e.Status == "Error" {
		c.errs = append(c.errs, e)
	}
	if e.ID == "" {
		return c.stage(), true, nil, ""
	}
	moved = c.last[e.ID] != e
	c.last[e.ID] = e
	kind, name, _ := strings.Cut(strings.TrimSpace(e.ID), " ")
	switch kind {
	case "Image":
		services = c.model.byImage(name)
	case "Container":
		if strings.HasPrefix(e.Text, "Creat") || strings.HasPrefix(e.Text, "Recreat") {
			c.made[name] = true
		}
		if service := c.model.byContainer(name); service != "" {
			services = []string{service}
		}
	}
	return c.stage(), moved, services, strings.ToLower(e.Text)
}

// stage is what compose is at: what is under way and comes first counts.
func (c *course) stage() stage {
	waits, starts, builds := false, false, false
	for id, e := range c.last {
		switch {
		case e.Status != "Working":
		case e.Text == "Building":
			builds = true
		case e.ParentID != "", strings.HasPrefix(id, "Image "):
			return pulling
		case e.Text == "Waiting":
			waits = true
		default:
			starts = true
		}
	}
	switch {
	case builds:
		return building
	case waits && !starts:
		return health
	}
	return starting
}

// at is the stage now.
func (c *course) at() stage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stage()
}

// errors are what went wrong, in order.
func (c *course) errors() []event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.errs
}

// busy is the service of the container or image that compose was at when it ended; empty:
// none that can be told.
func (c *course) busy() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := ""
	for id, e := range c.last {
		kind, name, _ := strings.Cut(strings.TrimSpace(id), " ")
		if e.Status == "Done" || e.Text == "Waiting" {
			continue
		}
		service := ""
		switch kind {
		case "Container":
			service = c.model.byContainer(name)
		case "Image":
			if all := c.model.byImage(name); len(all) > 0 {
				service = strings.Join(all, ", ")
			}
		}
		if service == "" {
			continue
		}
		if found != "" && found != service {
			return "" // several: the text says which, or nothing does
		}
		found = service
	}
	return found
}

// hasMade reports whether this attempt has begun to make a container of that name.
func (c *course) hasMade(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made[name]
}

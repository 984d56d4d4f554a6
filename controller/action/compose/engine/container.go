package engine

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// The labels by which compose knows its containers
// (https://github.com/docker/compose, pkg/api/labels.go).
const (
	projectLabel = "com.docker.compose.project"
	serviceLabel = "com.docker.compose.service"
	oneoffLabel  = "com.docker.compose.oneoff"
	hashLabel    = "com.docker.compose.config-hash"
	replaceLabel = "com.docker.compose.replace"
)

// DefaultStopTimeout is the engine's: 10 s from SIGTERM to SIGKILL.
const DefaultStopTimeout = 10 * time.Second

// maxCheck is how much of a health check's output is kept, in bytes.
const maxCheck = 300

// Port is where a port of a container is published.
type Port struct {
	// Address is invalid for every address of the host.
	Address netip.Addr
	Number  uint16
}

// Container is what the engine says of one container of a project.
type Container struct {
	ID, Name, Service string
	// Image is the image's name, ImageID its ID.
	Image, ImageID string
	// ConfigHash is compose's hash of the configuration that the container was made from.
	ConfigHash string
	// Status is created, running, paused, restarting, removing, exited or dead.
	Status string
	// Health is starting, healthy or unhealthy; empty: there is no health check.
	Health string
	// Check is the last output of the health check.
	Check string
	// Error is why the container could not be started.
	Error     string
	ExitCode  int
	OOMKilled bool
	// Restarts is how often the engine has restarted the container; less those of
	// Project.Baseline, where it was called.
	Restarts int
	// Policy is the restart policy; empty or "no": the container is never restarted.
	Policy string
	// StopTimeout is how long the container may take to stop; the engine's default where it
	// has none of its own.
	StopTimeout time.Duration
	// HealthTime is how long the health check may take until the engine calls the container
	// unhealthy; zero: there is no health check.
	HealthTime time.Duration
	// Replaces tells that compose made the container in the place of another one.
	Replaces bool
	// Created, StartedAt and FinishedAt are times of the engine's clock.
	Created, StartedAt, FinishedAt time.Time
	// Cut tells that the container has ended while the engine was away, which an engine that
	// is restarted brings about. The engine does not say so; whoever watches it sets it.
	Cut bool `json:"-"`
	// Mounts are the paths on the host that the container has mounted.
	Mounts []string
	// Ports are those that the container publishes.
	Ports []Port
}

// ByService groups containers.
func ByService(containers []Container) map[string][]Container {
	out := map[string][]Container{}
	for _, c := range containers {
		out[c.Service] = append(out[c.Service], c)
	}
	return out
}

// inspected is the part of docker container inspect that Container is made from.
type inspected struct {
	ID, Name, Image string
	Created         time.Time
	State           struct {
		Status    string
		OOMKilled bool
		Error     string
		ExitCode  int
		StartedAt,
		FinishedAt time.Time
		Health *struct {
			Status string
			Log    []struct{ Output string }
		}
	}
	RestartCount int
	Mounts       []struct{ Type, Source string }
	HostConfig   struct{ RestartPolicy struct{ Name string } }
	Config       struct {
		Image       string
		Labels      map[string]string
		StopTimeout *int
		Healthcheck *healthcheck
	}
	NetworkSettings struct {
		Ports map[string][]struct{ HostIP, HostPort string }
	}
}

// healthcheck is a container's health check; durations in nanoseconds, 0: the default.
type healthcheck struct {
	Test                           []string
	Interval, Timeout, StartPeriod time.Duration
	Retries                        int
}

// time is how long the check may take until the engine calls the container unhealthy. The
// defaults are the engine's (https://docs.docker.com/reference/dockerfile/#healthcheck).
func (h *healthcheck) time() time.Duration {
	if h == nil || len(h.Test) == 0 || h.Test[0] == "NONE" {
		return 0
	}
	interval, timeout, retries := h.Interval, h.Timeout, h.Retries
	if interval == 0 {
		interval = 30 * time.Second
	}
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	if retries == 0 {
		retries = 3
	}
	return min(maxHealthTime, h.StartPeriod+time.Duration(retries)*(interval+timeout))
}

// maxHealthTime bounds how long a health check is waited for because it is rare.
const maxHealthTime = time.Hour

// parseContainers reads one container a line. Containers of docker compose run belong to no
// deploy.
func parseContainers(r io.Reader) ([]Container, error) {
	var out []Container
	for decoder := json.NewDecoder(r); ; {
		var c inspected
		if err := decoder.Decode(&c); err == io.EOF {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("docker container inspect: %w", err)
		}
		if c.Config.Labels[oneoffLabel] != "True" {
			out = append(out, c.container())
		}
	}
}

func (c inspected) container() Container {
	out := Container{
		ID: c.ID, Name: strings.TrimPrefix(c.Name, "/"), Service: c.Config.Labels[serviceLabel],
		Image: c.Config.Image, ImageID: c.Image, ConfigHash: c.Config.Labels[hashLabel],
		Status: c.State.Status, Error: c.State.Error, ExitCode: c.State.ExitCode, OOMKilled: c.State.OOMKilled,
		Restarts: c.RestartCount, Policy: c.HostConfig.RestartPolicy.Name, Created: c.Created, StartedAt: c.State.StartedAt, FinishedAt: c.State.FinishedAt,
	}
	_, out.Replaces = c.Config.Labels[replaceLabel]
	out.StopTimeout = DefaultStopTimeout
	if seconds := c.Config.StopTimeout; seconds != nil {
		out.StopTimeout = time.Duration(*seconds) * time.Second
	}
	out.HealthTime = c.Config.Healthcheck.time()
	if h := c.State.Health; h != nil && h.Status != "none" {
		out.Health = h.Status
		if len(h.Log) > 0 {
			out.Check = Clip(strings.Join(strings.Fields(h.Log[len(h.Log)-1].Output), " "), maxCheck)
		}
	}
	for _, m := range c.Mounts {
		if m.Type == "bind" {
			out.Mounts = append(out.Mounts, m.Source)
		}
	}
	for _, bindings := range c.NetworkSettings.Ports {
		for _, b := range bindings {
			number, err := strconv.ParseUint(b.HostPort, 10, 16)
			address, _ := netip.ParseAddr(b.HostIP) // none: every address
			if err == nil {
				out.Ports = append(out.Ports, Port{address, uint16(number)})
			}
		}
	}
	return out
}

// Clip cuts a text to at most n bytes, at a rune's edge.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

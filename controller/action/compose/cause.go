package compose

import (
	"fmt"
	"regexp"
	"strings"

	v1 "jobwright.dev/api/v1"
)

// cause is why a deploy has failed.
type cause struct {
	reason string
	// service is whose fault it is; empty: nobody's, or it cannot be told.
	service string
	// text is what compose, the engine or the registry says.
	text string
	// hint says what to do.
	hint string
}

// patterns tell one kind of failure from another by docker's messages. Its exit code does not:
// it is 1 for nearly everything.
var patterns = []struct {
	pattern      *regexp.Regexp
	reason, hint string
}{
	{
		regexp.MustCompile(`(?i)is not a docker command|unknown command: docker compose|unknown shorthand flag|unknown flag: --(ansi|progress|file)`),
		v1.ReasonCommandUnavailable, "Install docker compose where the server runs.",
	},
	{
		regexp.MustCompile(`(?i)cannot connect to the docker daemon|failed to connect to the docker api|error during connect|permission denied while trying to connect|^(unexpected )?EOF$`),
		v1.ReasonEngineUnavailable, "See that the docker engine runs and that the server may use it.",
	},
	{
		regexp.MustCompile(`(?i)port is already allocated|address already in use|ports are not available`),
		v1.ReasonPortConflict, "Stop what uses the port, or publish another one.",
	},
	{ // the engine says so when a container is made; a pull that has failed says something else
		regexp.MustCompile(`(?i)no such image`),
		v1.ReasonPullFailed, "The image is not here, and nobody has pulled it: pull or build it first, or let compose pull it (pull_policy, --pull).",
	},
	{
		regexp.MustCompile(`(?i)pull access denied|manifest unknown|manifest for .* not found|repository .* not found|unauthorized: |toomanyrequests`),
		v1.ReasonPullFailed, "See that the image's name is right and that the server may pull it (docker login).",
	},
}

// diagnose finds the cause in the events of docker compose, or in the last lines of its output
// where the events have none.
func diagnose(s *steps, at stage, tail string) cause {
	out := cause{reason: v1.ReasonExitCode, service: s.busy()}
	image := ""
	for _, e := range s.errors() {
		kind, name, _ := strings.Cut(strings.TrimSpace(e.ID), " ")
		switch text := e.Message; {
		case kind == "Image" && image == "":
			image, out.service = name, strings.Join(s.rendering.byImage(name), ", ")
			out.text = name + ": " + e.Details
		case strings.HasPrefix(kind, "service:"):
			out.service, _, _ = strings.Cut(strings.TrimPrefix(kind, "service:"), ":")
		case kind == "Container" && s.rendering.byContainer(name) != "":
			out.service = s.rendering.byContainer(name)
		case e.ID == "" && text != "" && image == "":
			out.text = text
		}
	}
	if out.text == "" {
		lines := strings.Split(strings.TrimSpace(tail), "\n")
		out.text = lines[len(lines)-1]
	}
	out.text = strings.TrimPrefix(out.text, "Error response from daemon: ")
	for _, w := range patterns {
		if w.pattern.MatchString(out.text) {
			out.reason, out.hint = w.reason, w.hint
			break
		}
	}
	switch {
	case out.reason != v1.ReasonExitCode:
	case image != "":
		out.reason, out.hint = v1.ReasonPullFailed, patterns[len(patterns)-1].hint
	case at == building:
		out.reason, out.hint = v1.ReasonBuildFailed, ""
	}
	if out.reason == v1.ReasonEngineUnavailable || out.reason == v1.ReasonCommandUnavailable {
		out.service = ""
	}
	return out
}

// sentence is the cause as the beginning of a message.
func (c cause) sentence() string {
	text := strings.TrimSuffix(strings.TrimSpace(c.text), ".")
	if c.service != "" {
		text = fmt.Sprintf("service %s: %s", c.service, text)
	}
	if c.hint != "" {
		text += ". " + strings.TrimSuffix(c.hint, ".")
	}
	return text + "."
}

package compose

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/process"
)

// maxInspect bounds what is read of the engine's word about a project's containers: some
// 10 KiB each.
const maxInspect = 64 << 20

// engineContainer is a container of a project as the engine has it.
type engineContainer struct {
	ID      string
	Name    string
	Created time.Time
	Image   string // the image's ID
	State   struct {
		Status   string
		ExitCode int
		Health   *struct{ Status string }
	}
	Config struct {
		Image  string // the image's name
		Labels map[string]string
	}
}

func (s engineContainer) service() string { return s.Config.Labels["com.docker.compose.service"] }
func (s engineContainer) hash() string    { return s.Config.Labels[hashLabel] }

// settled reports whether the container is as an up wants it.
func (s engineContainer) settled() bool {
	c := container{State: s.State.Status, ExitCode: s.State.ExitCode}
	if s.State.Health != nil && s.State.Health.Status != "none" {
		c.Health = s.State.Health.Status
	}
	return settled([]container{c})
}

// inquire runs the docker program for its output, outside of any project's folder.
func (r *Runner) inquire(ctx context.Context, a action.Attempt, read func(io.Reader) error, args ...string) error {
	return r.capture(ctx, process.Spec{Path: r.docker, Args: args, Dir: "/", Worker: r.worker, Attempt: a.ID}, read)
}

// stand is how a project's containers stand, whatever their state, sorted by name.
func (r *Runner) stand(ctx context.Context, a action.Attempt, project string) ([]engineContainer, error) {
	// A container that goes between the list and the look at it is looked for again.
	for tries := 3; ; tries-- {
		ids, err := r.words(ctx, a, "ps", "--all", "--quiet", "--no-trunc",
			"--filter=label=com.docker.compose.project="+project, "--filter=label=com.docker.compose.oneoff=False")
		if err != nil || len(ids) == 0 {
			return nil, err
		}
		var out []engineContainer
		err = r.inquire(ctx, a, func(stdout io.Reader) error { return json.NewDecoder(io.LimitReader(stdout, maxInspect)).Decode(&out) },
			append([]string{"container", "inspect"}, ids...)...)
		if err == nil {
			slices.SortFunc(out, func(a, b engineContainer) int { return cmp.Compare(a.Name, b.Name) })
			return out, nil
		}
		if tries == 1 || ctx.Err() != nil {
			return nil, err
		}
	}
}

// words are the lines of what docker prints.
func (r *Runner) words(ctx context.Context, a action.Attempt, args ...string) ([]string, error) {
	var out []string
	err := r.inquire(ctx, a, readLines(&out), args...)
	return out, err
}

// readLines reads what is not blank into to.
func readLines(to *[]string) func(io.Reader) error {
	return func(stdout io.Reader) error {
		scanner := bufio.NewScanner(io.LimitReader(stdout, maxInspect))
		for scanner.Scan() {
			if line := strings.TrimSpace(scanner.Text()); line != "" {
				*to = append(*to, line)
			}
		}
		return scanner.Err()
	}
}

// byService groups containers.
func byService(containers []engineContainer) map[string][]engineContainer {
	out := map[string][]engineContainer{}
	for _, c := range containers {
		out[c.service()] = append(out[c.service()], c)
	}
	return out
}

// digests are the names in their registries of images, by ID.
func (r *Runner) digests(ctx context.Context, a action.Attempt, ids []string) (map[string]string, error) {
	var images []struct {
		ID          string `json:"Id"`
		RepoDigests []string
	}
	err := r.inquire(ctx, a, func(stdout io.Reader) error {
		return json.NewDecoder(io.LimitReader(stdout, maxInspect)).Decode(&images)
	},
		append([]string{"image", "inspect"}, ids...)...)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, image := range images {
		if len(image.RepoDigests) > 0 {
			out[image.ID] = image.RepoDigests[0]
		}
	}
	return out, nil
}

// asRevised reports whether a service's containers are those of a revision: as many, of
// its image, of one of the configurations that mean it, and settled.
func asRevised(containers []engineContainer, want v1.RevisionService, hashes ...string) bool {
	if len(containers) != want.Replicas {
		return false
	}
	for _, c := range containers {
		if c.Image != want.ImageID || !slices.Contains(append(hashes, want.ConfigHash), c.hash()) || !c.settled() {
			return false
		}
	}
	return true
}

// images are a revision's, for a person.
func images(r *revisions.Revision, services []string) string {
	var out []string
	for _, s := range r.Services {
		if services == nil || slices.Contains(services, s.Name) {
			out = append(out, fmt.Sprintf("%s %s (%s)", s.Name, s.Image, shortID(s.ImageID)))
		}
	}
	return strings.Join(out, ", ")
}

// shortID is an image's ID as docker shows it.
func shortID(id string) string {
	_, hex, _ := strings.Cut(id, ":")
	return hex[:min(len(hex), 12)]
}

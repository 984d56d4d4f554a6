package compose

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/health"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/compose/rollback"
)

// maxRendered bounds how much of a rendered compose file is read, in bytes.
const maxRendered = 16 << 20

// rendering is a compose file as compose reads it at the moment of the deploy. One run of
// docker compose config makes it, and serves the verdict, the plan and the revision.
type rendering struct {
	Name     string                  `json:"name"`
	Services map[string]modelService `json:"services"`

	document map[string]any // with references in place of secrets
	covered  []string       // the services that the deploy is about
	secrets  []string       // those that its variables may refer to
	env      map[string]string
	files    []revisions.File // that services read or mount
	// unkept is why the document is no revision; nil: it is one.
	unkept error
}

type modelService struct {
	Image         string          `json:"image"`
	Build         json.RawMessage `json:"build"`
	ContainerName string          `json:"container_name"`
	StopGrace     string          `json:"stop_grace_period"`
	Scale         *int            `json:"scale"`
	Deploy        struct {
		Replicas *int `json:"replicas"`
	} `json:"deploy"`
}

// replicas is how many containers the service is to have.
func (s modelService) replicas() int {
	switch {
	case s.Deploy.Replicas != nil:
		return *s.Deploy.Replicas
	case s.Scale != nil:
		return *s.Scale
	}
	return 1
}

// stopTime is the longest stop_grace_period of the services, at least the engine's default.
func (m *rendering) stopTime() time.Duration {
	longest := engine.DefaultStopTimeout
	for _, s := range m.Services {
		if grace, err := time.ParseDuration(s.StopGrace); err == nil {
			longest = max(longest, grace)
		}
	}
	return longest
}

// built reports whether compose builds the service's image.
func (s modelService) built() bool { return len(s.Build) > 0 && string(s.Build) != "null" }

// render has compose read the file: the services that the deploy names and what they
// depend on, or all that the profiles enable. Marks stand for the values of secrets. A file
// that is valid with the values alone has no revision.
func (r *Runner) render(ctx context.Context, a action.Attempt, src source) (*rendering, error) {
	d := a.Job.Spec.Deploy
	marks, secrets := marksFor(d, rand.Text())
	marked := variables(d, func(name string) (string, error) {
		for variable, secret := range secrets {
			if secret == name {
				return marks[variable], nil
			}
		}
		return "", errors.New("not the job's")
	})
	out, err := r.read(ctx, a, src, marked)
	if said := (*engine.RefusedError)(nil); errors.As(err, &said) && len(marks) > 0 {
		var valued *rendering
		if valued, err = r.read(ctx, a, src, r.variables(a.Job)); err != nil {
			return nil, err
		}
		valued.unkept = fmt.Errorf("render the compose file without the values of its secrets: %s", said.Said)
		return valued, nil
	}
	if err != nil {
		return nil, err
	}
	out.env = plainEnv(out.document, d)
	refer(out.document, marks, secrets)
	out.secrets = slices.Sorted(maps.Values(secrets))
	out.files = mountedFiles(src, out.document)
	return out, nil
}

// read runs docker compose config with those variables.
func (r *Runner) read(ctx context.Context, a action.Attempt, src source, variables []string) (*rendering, error) {
	d := a.Job.Spec.Deploy
	spec := r.spec(a, src, append(append(base(d, src), "config", "--format=json", "--"), d.Services...))
	spec.Env = variables
	var text []byte
	err := r.docker.Output(ctx, spec, func(stdout io.Reader) (err error) {
		text, err = io.ReadAll(io.LimitReader(stdout, maxRendered+1))
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxRendered:
		return nil, fmt.Errorf("the rendered compose file has more than %d bytes", maxRendered)
	}
	out := &rendering{}
	if err := errors.Join(json.Unmarshal(text, out), json.Unmarshal(text, &out.document)); err != nil {
		return nil, fmt.Errorf("read what docker compose config says: %w", err)
	}
	if out.Name == "" || out.Services == nil {
		return nil, errors.New("the compose file names no project or has no services")
	}
	if len(d.Services) > 0 && slices.Contains(d.ExtraArgs, "--no-deps") {
		other := func(name string) bool { return !slices.Contains(d.Services, name) }
		maps.DeleteFunc(out.Services, func(name string, _ modelService) bool { return other(name) })
		maps.DeleteFunc(revisions.Services(out.document), func(name string, _ any) bool { return other(name) })
	}
	out.covered = slices.Sorted(maps.Keys(out.Services))
	return out, nil
}

// deployed is the rendering as a revision takes it.
func (m *rendering) deployed(src source, containers []engine.Container) rollback.Deployed {
	return rollback.Deployed{Containers: containers, Project: m.Name, Folder: src.folder(), Document: m.document, Covered: m.covered, Secrets: m.secrets, Env: m.env, Private: privateOf(src), Files: m.files}
}

// image is what compose calls the image of a service, built or pulled.
func (m *rendering) image(name string) string {
	if image := m.Services[name].Image; image != "" {
		return image
	}
	return m.Name + "-" + name
}

// byImage are the services with that image.
func (m *rendering) byImage(image string) []string {
	var out []string
	for name := range m.Services {
		if m.image(name) == image {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// byContainer is the service of a container that compose names; empty: none.
func (m *rendering) byContainer(name string) string {
	best := ""
	for service, s := range m.Services {
		if s.ContainerName == name {
			return service
		}
		number, ok := strings.CutPrefix(name, m.Name+"-"+service+"-")
		if _, err := strconv.Atoi(number); ok && err == nil && len(service) > len(best) {
			best = service
		}
	}
	return best
}

// replicas is how many containers the deploy asks for of a service.
func (m *rendering) replicas(d *v1.DeployAction, name string) int {
	if n, ok := scaleFlag(d.ExtraArgs, name); ok {
		return n
	}
	return m.Services[name].replicas()
}

// wants are what the deploy expects of each service.
func (m *rendering) wants(d *v1.DeployAction) (map[string]health.Want, error) {
	out := map[string]health.Want{}
	for name := range m.Services {
		containers := m.replicas(d, name)
		if d.Verb != v1.DeployUp {
			containers = 0 // start and restart make none; the containers that there are get judged
		}
		out[name] = health.Wanted(d.Health, name, containers)
	}
	if d.Health != nil {
		for name := range d.Health.Services {
			if _, ok := out[name]; !ok {
				return nil, fmt.Errorf("spec.deploy.health.services[%s]: Not found: no service of this deploy", name)
			}
		}
	}
	return out, nil
}

// refer puts references in place of the marks that stood for secrets while compose
// rendered the file: secrets says which is meant, by the variable's name in the job.
// The file's own secrets and configs refer to the same variables of the environment.
func refer(document map[string]any, marks, secrets map[string]string) {
	var pairs []string
	for name, mark := range marks {
		pairs = append(pairs, mark, "${"+revisions.Variable(secrets[name])+"}")
	}
	eachText(document, strings.NewReplacer(pairs...).Replace)
	for _, section := range []string{"secrets", "configs"} {
		for _, definition := range revisions.Child(document, section) {
			d, ok := definition.(map[string]any)
			if !ok {
				continue
			}
			name, _ := d["environment"].(string)
			if secret, ok := secrets[name]; ok {
				d["environment"] = revisions.Variable(secret)
			}
		}
	}
}

// plainEnv are the job's plain variables that the file's secrets and configs name: all
// others stand in the rendered file with their values.
func plainEnv(document map[string]any, d *v1.DeployAction) map[string]string {
	var out map[string]string
	for _, section := range []string{"secrets", "configs"} {
		for _, definition := range revisions.Child(document, section) {
			s, ok := definition.(map[string]any)
			if !ok {
				continue
			}
			for _, e := range d.Env {
				if s["environment"] == e.Name && e.ValueFrom == nil {
					if out == nil {
						out = map[string]string{}
					}
					out[e.Name] = e.Value
				}
			}
		}
	}
	return out
}

// marksFor are texts that stand for the job's secrets while compose renders the file; no
// file can have them by chance.
func marksFor(d *v1.DeployAction, random string) (marks, secrets map[string]string) {
	marks, secrets = map[string]string{}, map[string]string{}
	for i, e := range d.Env {
		if e.ValueFrom != nil {
			marks[e.Name], secrets[e.Name] = fmt.Sprintf("jobwright-%s-%d-", random, i), e.ValueFrom.SecretRef
		}
	}
	return marks, secrets
}

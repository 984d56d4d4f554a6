package compose

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// maxModel bounds how much of a rendered compose file is read.
const maxModel = 16 << 20

// model is what compose makes of a compose file, as far as a deploy needs it.
type model struct {
	Name     string                  `json:"name"`
	Services map[string]modelService `json:"services"`
}

type modelService struct {
	Image         string `json:"image"`
	ContainerName string `json:"container_name"`
	Scale         *int   `json:"scale"`
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

// model asks compose for the services of a deploy: those it names and what they depend
// on, or all that the profiles enable.
func (r *Runner) model(ctx context.Context, a action.Attempt, file string) (model, error) {
	var m model
	d := a.Job.Spec.Deploy
	args := append(base(d, file), "config", "--format=json")
	if len(d.Services) > 0 {
		args = append(append(args, "--"), d.Services...)
	}
	err := r.query(ctx, a, file, args, func(stdout io.Reader) error {
		err := json.NewDecoder(io.LimitReader(stdout, maxModel)).Decode(&m)
		if err == io.EOF {
			return nil // its exit code says why
		}
		return err
	})
	return m, err
}

// image is what compose calls the image of a service, built or pulled.
func (m model) image(service string) string {
	if image := m.Services[service].Image; image != "" {
		return image
	}
	return m.Name + "-" + service
}

// byImage are the services with that image.
func (m model) byImage(image string) []string {
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
func (m model) byContainer(name string) string {
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

// wants are what the deploy expects of each service.
func (m model) wants(d *v1.DeployAction) (map[string]want, error) {
	out := map[string]want{}
	for name, s := range m.Services {
		containers := s.replicas()
		if n, ok := scaleFlag(d.ExtraArgs, name); ok {
			containers = n
		}
		if d.Verb != v1.DeployUp {
			containers = 0 // start and restart make none; what is there is looked at
		}
		out[name] = wanted(d.Health, name, containers)
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

package compose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	v1 "jobwright.dev/api/v1"
)

// operand is what a service, profile or project may be called; none of it can be read
// as a flag.
var operand = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// commandLine is everything after "docker".
func commandLine(d *v1.DeployAction, src source) ([]string, error) {
	flags, errs := v1.DeployFlags(d.Verb, d.ExtraArgs, field.NewPath("spec", "deploy", "extraArgs"))
	if !slices.Contains(v1.DeployVerbs(), d.Verb) {
		return nil, fmt.Errorf("spec.deploy.verb: Unsupported value: %q: supported values: %v", d.Verb, v1.DeployVerbs())
	}
	if len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	for field, list := range map[string][]string{"services": d.Services, "profiles": d.Profiles} {
		for i, name := range list {
			if !operand.MatchString(name) {
				return nil, fmt.Errorf("spec.deploy.%s[%d]: Invalid value: %q: must match %s", field, i, name, operand)
			}
		}
	}
	if d.ProjectName != "" && !operand.MatchString(d.ProjectName) {
		return nil, fmt.Errorf("spec.deploy.projectName: Invalid value: %q: must match %s", d.ProjectName, operand)
	}
	if d.Verb == v1.DeployDown && len(d.Services) > 0 && (slices.Contains(flags, "--volumes") || slices.Contains(flags, "-v")) {
		return nil, fmt.Errorf("spec.deploy.services: Invalid value: %v: down --volumes takes the whole project down", d.Services)
	}
	args := base(d, src)
	args = append(args, string(d.Verb))
	if d.Verb == v1.DeployUp {
		args = append(args, "--detach")
		// The Runner waits by itself, and says more of what it waits for.
		flags = slices.DeleteFunc(flags, func(f string) bool {
			return f == "-d" || f == "--detach" || f == "--wait" || strings.HasPrefix(f, "--wait-timeout=")
		})
	}
	if d.Verb == v1.DeployLogs {
		args = append(args, "--no-color")
	}
	args = append(args, flags...)
	if len(d.Services) > 0 {
		args = append(append(args, "--"), d.Services...)
	}
	return args, nil
}

// base selects file, project and profiles.
func base(d *v1.DeployAction, src source) []string {
	args := []string{"compose", "--ansi=never", "--progress=json"}
	for _, file := range src.files {
		args = append(args, "--file="+file)
	}
	if d.ProjectName != "" {
		args = append(args, "--project-name="+d.ProjectName)
	}
	for _, profile := range d.Profiles {
		args = append(args, "--profile="+profile)
	}
	return args
}

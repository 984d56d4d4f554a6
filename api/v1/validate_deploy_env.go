package v1

import (
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	maxDeployEnv      = 100
	maxDeployEnvValue = 4096
)

// variableName is what a variable may be called.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Variables that change what docker, compose, their helpers or Jobwright do, instead of
// what a compose file says. A job must not redirect the engine by its environment.
var (
	reservedPrefixes = []string{
		"JOBWRIGHT_", "DOCKER_", "COMPOSE_", "BUILDKIT_", "BUILDX_", "LD_", "DYLD_", "SSL_", "SSH_", "GIT_", "XDG_", "LC_", "OTEL_",
	}
	reservedNames = []string{
		"PATH", "HOME", "USER", "SHELL", "LANG", "TZ", "TMPDIR", "IFS", "ENV", "BASH_ENV",
		"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
		"GODEBUG", "GOMAXPROCS", "GOTRACEBACK", "GOGC", "GOMEMLIMIT", "GOCOVERDIR",
	}
)

func validateDeployEnv(env []DeployEnv, p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(env) > maxDeployEnv {
		errs = append(errs, field.TooMany(p, len(env), maxDeployEnv))
	}
	seen := map[string]bool{}
	for i, e := range env {
		at := p.Index(i)
		name := strings.ToUpper(e.Name)
		switch {
		case e.Name == "":
			errs = append(errs, field.Required(at.Child("name"), "name the variable"))
		case !variableName.MatchString(e.Name) || len(e.Name) > maxIdentifier:
			errs = append(errs, field.Invalid(at.Child("name"), e.Name, "must consist of letters, digits and '_', not start with a digit, and have at most 253 characters"))
		case seen[e.Name]:
			errs = append(errs, field.Duplicate(at.Child("name"), e.Name))
		case slices.Contains(reservedNames, name), slices.ContainsFunc(reservedPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }):
			errs = append(errs, field.Forbidden(at.Child("name"), e.Name+" would change docker, compose or the server, not the project; give the variable another name"))
		}
		seen[e.Name] = true
		errs = append(errs, validateText(e.Value, maxDeployEnvValue, at.Child("value"))...)
		switch {
		case e.ValueFrom == nil:
		case e.Value != "":
			errs = append(errs, field.Forbidden(at.Child("valueFrom"), "not together with value"))
		default:
			errs = append(errs, validateSource(e.ValueFrom, at.Child("valueFrom"))...)
		}
	}
	return errs
}

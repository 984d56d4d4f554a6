package v1

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Limits of a deploy, as its fields document them.
const (
	maxComposePath  = 4096
	maxComposePaths = 20
	maxProjectName  = 63
	maxServices     = 200
	maxProfiles     = 50
	maxExtraArgs    = 50
)

// projectName is compose's own rule for project names.
var projectName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// maxFolderName is how long the name of a folder may be on the file systems of Linux; a
// project that takes its name from its folder may have a longer one than a job can say.
const maxFolderName = 255

// IsProjectName reports whether a compose project can have this name.
func IsProjectName(name string) bool {
	return len(name) <= maxFolderName && projectName.MatchString(name)
}

func validateDeploy(d *DeployAction, p *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch {
	case d.Verb == "":
		errs = append(errs, field.Required(p.Child("verb"), "name the compose operation"))
	case !slices.Contains(DeployVerbs(), d.Verb):
		errs = append(errs, field.NotSupported(p.Child("verb"), d.Verb, DeployVerbs()))
	}
	errs = append(errs, validateComposePath(d.ComposePath, p.Child("composePath"))...)
	errs = append(errs, validateEach(d.ComposePaths, maxComposePaths, p.Child("composePaths"), validateComposePaths)...)
	if d.ComposePath != "" && len(d.ComposePaths) > 0 {
		errs = append(errs, field.Forbidden(p.Child("composePaths"), "not together with composePath"))
	}
	errs = append(errs, validateText(d.ProjectName, maxProjectName, p.Child("projectName"))...)
	if d.ProjectName != "" && !projectName.MatchString(d.ProjectName) {
		errs = append(errs, field.Invalid(p.Child("projectName"), d.ProjectName,
			"must consist of lower case letters, digits, '-' and '_', and start with a letter or digit"))
	}
	errs = append(errs, validateEach(d.Services, maxServices, p.Child("services"), validateOperand)...)
	errs = append(errs, validateEach(d.Profiles, maxProfiles, p.Child("profiles"), validateOperand)...)
	errs = append(errs, validateExtraArgs(d, p.Child("extraArgs"))...)
	errs = append(errs, validateDeployEnv(d.Env, p.Child("env"))...)
	errs = append(errs, validateRollback(d, p)...)
	return append(errs, validateConvergence(d, p)...)
}

// validateComposePath refuses what cannot lie below any root. Whether the file
// does lie below one is decided when the job starts, with symbolic links resolved.
func validateComposePath(s string, p *field.Path) field.ErrorList {
	errs := validateText(s, maxComposePath, p)
	if clean := path.Clean(s); clean == ".." || strings.HasPrefix(clean, "../") {
		errs = append(errs, field.Invalid(p, s, "must lie below a compose root"))
	}
	return errs
}

// validateComposePaths checks one of several paths.
func validateComposePaths(s string, p *field.Path) field.ErrorList {
	if s == "" {
		return field.ErrorList{field.Required(p, "must not be empty")}
	}
	return validateComposePath(s, p)
}

// validateOperand checks a name that stands on compose's command line, where a
// leading dash would make it a flag.
func validateOperand(s string, p *field.Path) field.ErrorList {
	switch {
	case s == "":
		return field.ErrorList{field.Required(p, "must not be empty")}
	case strings.HasPrefix(s, "-"):
		return field.ErrorList{field.Invalid(p, s, "must not start with '-'")}
	}
	return validateText(s, maxIdentifier, p)
}

// validateExtraArgs checks the flags, of which each verb takes some, each with at most one
// value.
func validateExtraArgs(d *DeployAction, p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(d.ExtraArgs) > maxExtraArgs {
		return append(errs, field.TooMany(p, len(d.ExtraArgs), maxExtraArgs))
	}
	for i, arg := range d.ExtraArgs {
		if arg == "" && !slices.Contains(DeployVerbs(), d.Verb) {
			errs = append(errs, field.Required(p.Index(i), "must not be empty"))
		}
		errs = append(errs, validateText(arg, maxComposePath, p.Index(i))...)
	}
	if len(errs) > 0 || !slices.Contains(DeployVerbs(), d.Verb) || d.Verb == DeployRollback {
		return errs // a verb that is unknown has no list of flags, a rollback takes none
	}
	flags, errs := DeployFlags(d.Verb, d.ExtraArgs, p)
	if d.Verb == DeployDown && len(d.Services) > 0 && (slices.Contains(flags, "--volumes") || slices.Contains(flags, "-v")) {
		errs = append(errs, field.Invalid(p, d.ExtraArgs, "down --volumes takes the whole project down; leave services out"))
	}
	return errs
}

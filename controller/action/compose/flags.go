package compose

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	v1 "jobwright.dev/api/v1"
)

// value is what a flag takes; nil: nothing.
type value = *regexp.Regexp

var (
	number   = regexp.MustCompile(`^[0-9]{1,6}$`)
	lines    = regexp.MustCompile(`^([0-9]{1,7}|all)$`)
	instant  = regexp.MustCompile(`^[0-9A-Za-z:.+-]{1,40}$`)
	scale    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*=[0-9]{1,4}$`)
	buildArg = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=[^\x00\n]*$`)
	oneOf    = func(words ...string) value { return regexp.MustCompile(`^(` + strings.Join(words, "|") + `)$`) }
)

// allowed are the flags of each verb. Not in it: what reads or writes other places
// (--env-file, --output), what needs a terminal or never ends (--follow, --watch,
// --attach, --menu), and what the Runner decides itself (--file, --project-name,
// --progress, --ansi).
var allowed = map[v1.DeployVerb]map[string]value{
	v1.DeployUp: {
		"-d": nil, "--detach": nil, "--wait": nil, "--wait-timeout": number, "--build": nil, "--no-build": nil,
		"--force-recreate": nil, "--no-recreate": nil, "--always-recreate-deps": nil, "--no-deps": nil,
		"--remove-orphans": nil, "--renew-anon-volumes": nil, "-V": nil, "--pull": oneOf("always", "missing", "never", "build"),
		"--quiet-pull": nil, "--scale": scale, "--timeout": number, "-t": number,
	},
	v1.DeployDown: {
		"--remove-orphans": nil, "--volumes": nil, "-v": nil, "--rmi": oneOf("all", "local"), "--timeout": number, "-t": number,
	},
	v1.DeployBuild: {
		"--no-cache": nil, "--pull": nil, "--quiet": nil, "-q": nil, "--with-dependencies": nil, "--build-arg": buildArg,
	},
	v1.DeployPull: {
		"--ignore-buildable": nil, "--ignore-pull-failures": nil, "--include-deps": nil, "--quiet": nil, "-q": nil,
		"--policy": oneOf("always", "missing"),
	},
	v1.DeployPs: {
		"--all": nil, "-a": nil, "--quiet": nil, "-q": nil, "--services": nil, "--no-trunc": nil, "--format": oneOf("json", "table"),
		"--status": oneOf("paused", "restarting", "removing", "running", "dead", "created", "exited"),
	},
	v1.DeployLogs: {
		"--tail": lines, "-n": lines, "--timestamps": nil, "-t": nil, "--no-log-prefix": nil, "--since": instant, "--until": instant,
	},
	v1.DeployRestart: {"--no-deps": nil, "--timeout": number, "-t": number},
	v1.DeployStop:    {"--timeout": number, "-t": number},
	v1.DeployStart:   {},
	v1.DeployConfig: {
		"--services": nil, "--images": nil, "--volumes": nil, "--profiles": nil, "--networks": nil, "--quiet": nil, "-q": nil,
		"--no-interpolate": nil, "--no-normalize": nil, "--format": oneOf("yaml", "json"),
	},
	v1.DeployRollback: {}, // none of compose's
}

// checkFlags returns extraArgs in the form --flag=value, or what is wrong with them.
func checkFlags(verb v1.DeployVerb, args []string) ([]string, error) {
	flags, ok := allowed[verb]
	if !ok {
		return nil, fmt.Errorf("spec.deploy.verb: Unsupported value: %q: supported values: %v", verb, v1.DeployVerbs())
	}
	var out []string
	for i := 0; i < len(args); i++ {
		name, given, inline := strings.Cut(args[i], "=")
		pattern, known := flags[name]
		switch {
		case !known:
			return nil, fmt.Errorf("spec.deploy.extraArgs[%d]: Unsupported value: %q: %s takes: %s", i, args[i], verb, names(flags))
		case pattern == nil && inline:
			return nil, fmt.Errorf("spec.deploy.extraArgs[%d]: Invalid value: %q: %s takes no value", i, args[i], name)
		case pattern == nil:
			out = append(out, name)
			continue
		case !inline && i+1 == len(args):
			return nil, fmt.Errorf("spec.deploy.extraArgs[%d]: Invalid value: %q: %s needs a value", i, args[i], name)
		case !inline:
			i++
			given = args[i]
		}
		if !pattern.MatchString(given) {
			return nil, fmt.Errorf("spec.deploy.extraArgs[%d]: Invalid value: %q: the value of %s must match %s", i, given, name, pattern)
		}
		if strings.HasPrefix(name, "--") {
			out = append(out, name+"="+given)
		} else {
			out = append(out, name, given)
		}
	}
	return out, nil
}

func names(flags map[string]value) string {
	if len(flags) == 0 {
		return "no flags"
	}
	return strings.Join(slices.Sorted(maps.Keys(flags)), ", ")
}

// operand is what a service, profile or project may be called; none of it can be read
// as a flag.
var operand = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// commandLine is everything after "docker".
func commandLine(d *v1.DeployAction, file string) ([]string, error) {
	flags, err := checkFlags(d.Verb, d.ExtraArgs)
	if err != nil {
		return nil, err
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
	args := base(d, file)
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
func base(d *v1.DeployAction, file string) []string {
	args := []string{"compose", "--ansi=never", "--progress=json", "--file=" + file}
	if d.ProjectName != "" {
		args = append(args, "--project-name="+d.ProjectName)
	}
	for _, profile := range d.Profiles {
		args = append(args, "--profile="+profile)
	}
	return args
}

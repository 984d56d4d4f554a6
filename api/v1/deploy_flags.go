package v1

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// flagValue is the pattern of a flag's value; nil for a flag without a value. The pattern is
// compiled on first use: compiled patterns are large, and most processes check no flag.
type flagValue func() *regexp.Regexp

func flagLike(pattern string) flagValue {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

var (
	flagNumber   = flagLike(`^[0-9]{1,6}$`)
	flagLines    = flagLike(`^([0-9]{1,7}|all)$`)
	flagInstant  = flagLike(`^[0-9A-Za-z:.+-]{1,40}$`)
	flagScale    = flagLike(`^[A-Za-z0-9][A-Za-z0-9_.-]*=[0-9]{1,4}$`)
	flagBuildArg = flagLike(`^[A-Za-z_][A-Za-z0-9_]*=[^\x00\n]*$`)
	flagOneOf    = func(words ...string) flagValue { return flagLike(`^(` + strings.Join(words, "|") + `)$`) }
)

// deployFlags are the allowed flags of each verb. It leaves out flags that read or write
// other places (--env-file, --output), need a terminal or never end (--follow, --watch,
// --attach, --menu), or are set by the Runner (--file, --project-name, --progress, --ansi).
var deployFlags = map[DeployVerb]map[string]flagValue{
	DeployUp: {
		"-d": nil, "--detach": nil, "--wait": nil, "--wait-timeout": flagNumber, "--build": nil, "--no-build": nil,
		"--force-recreate": nil, "--no-recreate": nil, "--always-recreate-deps": nil, "--no-deps": nil,
		"--remove-orphans": nil, "--renew-anon-volumes": nil, "-V": nil, "--pull": flagOneOf("always", "missing", "never", "build"),
		"--quiet-pull": nil, "--scale": flagScale, "--timeout": flagNumber, "-t": flagNumber,
	},
	DeployDown: {
		"--remove-orphans": nil, "--volumes": nil, "-v": nil, "--rmi": flagOneOf("all", "local"), "--timeout": flagNumber, "-t": flagNumber,
	},
	DeployBuild: {
		"--no-cache": nil, "--pull": nil, "--quiet": nil, "-q": nil, "--with-dependencies": nil, "--build-arg": flagBuildArg,
	},
	DeployPull: {
		"--ignore-buildable": nil, "--ignore-pull-failures": nil, "--include-deps": nil, "--quiet": nil, "-q": nil,
		"--policy": flagOneOf("always", "missing"),
	},
	DeployPs: {
		"--all": nil, "-a": nil, "--quiet": nil, "-q": nil, "--services": nil, "--no-trunc": nil, "--format": flagOneOf("json", "table"),
		"--status": flagOneOf("paused", "restarting", "removing", "running", "dead", "created", "exited"),
	},
	DeployLogs: {
		"--tail": flagLines, "-n": flagLines, "--timestamps": nil, "-t": nil, "--no-log-prefix": nil, "--since": flagInstant, "--until": flagInstant,
	},
	DeployRestart: {"--no-deps": nil, "--timeout": flagNumber, "-t": flagNumber},
	DeployStop:    {"--timeout": flagNumber, "-t": flagNumber},
	DeployStart:   {},
	DeployConfig: {
		"--services": nil, "--images": nil, "--volumes": nil, "--profiles": nil, "--networks": nil, "--quiet": nil, "-q": nil,
		"--no-interpolate": nil, "--no-normalize": nil, "--format": flagOneOf("yaml", "json"),
	},
	DeployRollback: {}, // none of compose's
}

// DeployFlags returns the extraArgs of a verb in the form --flag=value, or -f value for short
// flags, and their problems. A flag that docker compose knows and Jobwright does not allow
// is a problem too.
func DeployFlags(verb DeployVerb, args []string, p *field.Path) ([]string, field.ErrorList) {
	var out []string
	var errs field.ErrorList
	flags := deployFlags[verb]
	for i := 0; i < len(args); i++ {
		at := p.Index(i)
		name, given, inline := strings.Cut(args[i], "=")
		pattern, known := flags[name]
		switch {
		case args[i] == "":
			errs = append(errs, field.Required(at, "must not be empty"))
			continue
		case !strings.HasPrefix(name, "-") || name == "-" || name == "--":
			errs = append(errs, field.Invalid(at, args[i], "must name a flag or be the value of the flag before it; services belong into services"))
			continue
		case !known:
			errs = append(errs, field.NotSupported(at, args[i], slices.Sorted(maps.Keys(flags))))
			if !inline && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				i++ // its value, perhaps
			}
			continue
		case pattern == nil && inline:
			errs = append(errs, field.Invalid(at, args[i], name+" takes no value"))
			continue
		case pattern == nil:
			out = append(out, name)
			continue
		case !inline && i+1 == len(args):
			errs = append(errs, field.Invalid(at, args[i], name+" needs a value"))
			continue
		case !inline:
			i++
			given = args[i]
		}
		if !pattern().MatchString(given) {
			errs = append(errs, field.Invalid(p.Index(i), given, "the value of "+name+" must match "+pattern().String()))
			continue
		}
		if strings.HasPrefix(name, "--") {
			out = append(out, name+"="+given)
		} else {
			out = append(out, name, given)
		}
	}
	return out, errs
}

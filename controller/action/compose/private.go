package compose

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/secrets"
)

// minPrivate is how many bytes a value of a private file has whose name tells nothing: a
// shorter one is a word or a tag that stands in every log.
const minPrivate = 8

// maxEnvFiles bounds how many env_files of a project are read for their values.
const maxEnvFiles = 100

// privateOf are the values in .env and in the services' env_files that nobody gets to read:
// those of a variable that is called like a secret, and in a file that only its owner may read
// those of any other that is long enough to be one. Files that cannot be read have none.
func privateOf(src source) []string {
	if len(src.files) == 0 {
		return nil
	}
	files := []string{filepath.Join(src.folder(), ".env")}
	for _, file := range src.files {
		for _, name := range envFilesOf(file) {
			if !filepath.IsAbs(name) {
				name = filepath.Join(src.folder(), name)
			}
			files = append(files, name)
		}
	}
	var out []string
	for _, file := range files[:min(len(files), maxEnvFiles)] {
		if below(src.root, file) != nil {
			continue
		}
		out = append(out, privateIn(file)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func privateIn(file string) []string {
	info, err := os.Stat(file)
	if err != nil {
		return nil
	}
	ownersOnly := info.Mode().Perm()&0o077 == 0
	var out []string
	for name, value := range dotenvOf(file) {
		named := revisions.NamesSecret(name) && len(value) >= secrets.MinLength
		if named || ownersOnly && len(value) >= minPrivate && !plain(value) {
			out = append(out, value)
		}
	}
	return out
}

// plain reports whether a value is a number or one of compose's own settings.
func plain(value string) bool {
	_, err := strconv.ParseFloat(value, 64)
	return err == nil || strings.HasSuffix(value, ".yml") || strings.HasSuffix(value, ".yaml")
}

// envFilesOf are the env_files that a compose file names, as far as no variable is in them.
func envFilesOf(file string) []string {
	var out []string
	services, _ := documentOf(file)["services"].(map[string]any)
	for _, service := range services {
		s, _ := service.(map[string]any)
		out = append(out, referredFiles(s["env_file"], "path")...)
	}
	return out
}

// redactorFor hides every secret of the server, not only the job's own: what runs in the
// engine may have been given others, and its logs may tell them. It hides what is private
// in the files of the job's project too, as they are now and as its kept revisions have
// them. The job's own words stay: masking them would tell a client of one workspace how well
// it has guessed the secret of another.
func (r *Runner) redactorFor(job *v1.Job, project string) *secrets.Redactor {
	var private []string
	if job.Spec.Deploy == nil {
		return r.secrets.Redactor(job.Namespace, ownWords(job))
	}
	if src, err := find(r.roots, job.Namespace, job.Spec.Deploy); err == nil {
		private = privateOf(src)
	}
	if r.revisions != nil && project != "" {
		if last, err := r.revisions.Last(project); err == nil {
			private = append(private, last.Private...)
		}
	}
	return r.secrets.Redactor(job.Namespace, ownWords(job), private...)
}

// maskedSettings is a sink for the output of docker compose config.
type maskedSettings struct{ action.Sink }

// Line implements action.Sink.
func (m maskedSettings) Line(stream action.Stream, text string) {
	if stream == action.Stdout {
		text = maskSetting(text)
	}
	m.Sink.Line(stream, text)
}

// settingOf is a line of docker compose config, as YAML or as JSON, that sets a variable.
var settingOf = regexp.MustCompile(`^(\s*"?([A-Za-z_][A-Za-z0-9_]*)"?: )(.+?)(,?)$`)

// maskSetting masks the value in a line of docker compose config whose variable is called like
// a secret.
func maskSetting(line string) string {
	m := settingOf.FindStringSubmatch(line)
	if m == nil || !revisions.NamesSecret(m[2]) || m[3] == "null" || strings.HasSuffix(m[3], "{") || strings.HasSuffix(m[3], "[") {
		return line
	}
	if strings.HasPrefix(m[3], `"`) {
		return m[1] + `"` + secrets.Mask + `"` + m[4]
	}
	return m[1] + secrets.Mask + m[4]
}

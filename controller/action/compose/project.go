package compose

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/yaml"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// projects remembers what the top level of a compose file calls its project, so that a
// thousand queued deploys read it once.
type projects struct {
	mu    sync.Mutex
	names map[string]projectName
}

type projectName struct {
	modified time.Time
	size     int64
	name     string
}

// maxProjects bounds how many files are remembered.
const maxProjects = 1024

// maxComposeFile bounds how much of a file is read for its name.
const maxComposeFile = 1 << 20

// ConcurrencyKey is the key that deploys of one compose project share, whatever their
// workspace: two runs of docker compose over one project must not overlap. Empty for
// verbs that change nothing.
func (r *Runner) ConcurrencyKey(job *v1.Job) string {
	d := job.Spec.Deploy
	if d == nil {
		return ""
	}
	switch d.Verb {
	case v1.DeployPs, v1.DeployLogs, v1.DeployConfig:
		return ""
	case v1.DeployUp, v1.DeployDown, v1.DeployBuild, v1.DeployPull, v1.DeployRestart, v1.DeployStop, v1.DeployStart, v1.DeployRollback:
	}
	if d.ProjectName != "" {
		return "compose:" + d.ProjectName
	}
	src, err := find(r.roots, job.Namespace, d)
	if err != nil {
		return "compose-file:" + strings.Join(append(d.ComposePaths, d.ComposePath), ":") // its run says what is wrong
	}
	return "compose:" + r.projects.of(src)
}

// Key has the jobs of one compose project run one after another.
func (r *Runner) Key(job *v1.Job) action.Key {
	return action.Key{Name: r.ConcurrencyKey(job), Limit: 1, InOrder: true, Subject: "its compose project"}
}

// of is the project's name by compose's own rule: the top-level name of the last file that
// has one, else that of the folder.
func (p *projects) of(src source) string {
	for _, file := range slices.Backward(src.files) {
		if name := p.topLevel(file); name != "" {
			return name
		}
	}
	return folderName(src.folder())
}

// topLevel is what a file calls its project; empty: nothing, or nothing that can be told.
func (p *projects) topLevel(file string) string {
	info, err := os.Stat(file)
	if err != nil {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.names[file]; ok && known.modified.Equal(info.ModTime()) && known.size == info.Size() {
		return known.name
	}
	name := topLevelName(file, info.Size())
	if p.names == nil || len(p.names) >= maxProjects {
		p.names = map[string]projectName{}
	}
	p.names[file] = projectName{info.ModTime(), info.Size(), name}
	return name
}

// topLevelName is the file's `name:`; empty: it has none that can be told without
// compose, which alone knows the variables it may hold.
func topLevelName(file string, size int64) string {
	if size > maxComposeFile {
		return ""
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	var top struct {
		Name string `json:"name"`
	}
	if yaml.Unmarshal(data, &top) != nil || strings.ContainsAny(top.Name, "${") {
		return ""
	}
	return top.Name
}

var notInName = regexp.MustCompile(`[^-_a-z0-9]+`)

// folderName is how compose makes a project's name of a folder's
// (compose-go, loader.NormalizeProjectName).
func folderName(folder string) string {
	name := notInName.ReplaceAllString(strings.ToLower(filepath.Base(folder)), "")
	return strings.TrimLeft(name, "_-")
}

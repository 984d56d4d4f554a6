package revisions

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	v1 "jobwright.dev/api/v1"
)

// Revision is one good state of a project.
type Revision struct {
	// Revision is what everyone may know; Compose and Diff are not set in it.
	v1.Revision
	// Workspace is whose it is.
	Workspace string `json:"workspace"`
	// Folder is the project's directory, which relative paths were resolved against.
	Folder string `json:"folder"`
	// Env are the plain variables that the file's secrets and configs name.
	Env map[string]string `json:"env,omitempty"`
	// Private are the values that the deploy read in private files beside the compose file,
	// .env and env_file. Readers get *** for them, also when the files have others by now.
	Private []string `json:"private,omitempty"`
	// Files are the files beside the compose file that services read or mount.
	Files []File `json:"files,omitempty"`
	// Document is the compose file.
	Document map[string]any `json:"-"`
}

// ErrDamaged means that a revision's file is not what was written.
var ErrDamaged = errors.New("the revision is damaged")

const (
	header    = "# jobwright revision sha256:"
	extension = "x-jobwright"
)

// Service is what a service of the revision ran from.
func (r *Revision) Service(name string) (v1.RevisionService, bool) {
	i := slices.IndexFunc(r.Services, func(s v1.RevisionService) bool { return s.Name == name })
	if i < 0 {
		return v1.RevisionService{}, false
	}
	return r.Services[i], true
}

// ComposeFile is the compose file alone, as YAML.
func (r *Revision) ComposeFile() ([]byte, error) { return yaml.Marshal(r.Document) }

// encode is the revision's file.
func (r *Revision) encode() ([]byte, error) {
	known := *r
	known.Folder = escape(r.Folder)
	known.Env = map[string]string{}
	for name, value := range r.Env {
		known.Env[name] = escape(value)
	}
	known.Private = nil
	for _, value := range r.Private {
		known.Private = append(known.Private, escape(value))
	}
	known.Files = slices.Clone(r.Files)
	for i := range known.Files {
		known.Files[i].Path = escape(known.Files[i].Path)
	}
	known.Compose, known.Diff = "", ""
	document := maps.Clone(r.Document)
	if document == nil {
		document = map[string]any{}
	}
	document[extension] = known
	body, err := yaml.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encode revision %d of %s: %w", r.Number, r.Project, err)
	}
	return append(fmt.Appendf(nil, "%s%s\n", header, sum(body)), body...), nil
}

func decode(data []byte) (*Revision, error) {
	first, body, _ := bytes.Cut(data, []byte("\n"))
	want, ok := strings.CutPrefix(string(first), header)
	if !ok || want != sum(body) {
		return nil, fmt.Errorf("%w: its checksum does not fit", ErrDamaged)
	}
	var document map[string]any
	if err := yaml.Unmarshal(body, &document); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	known, err := json.Marshal(document[extension])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	r := new(Revision)
	if err := json.Unmarshal(known, r); err != nil || r.Number < 1 || r.Project == "" || r.Workspace == "" {
		return nil, fmt.Errorf("%w: %s does not say what it is", ErrDamaged, extension)
	}
	delete(document, extension)
	r.Document, r.Folder = document, unescape(r.Folder)
	for name, value := range r.Env {
		r.Env[name] = unescape(value)
	}
	for i := range r.Files {
		r.Files[i].Path = unescape(r.Files[i].Path)
	}
	for i := range r.Private {
		r.Private[i] = unescape(r.Private[i])
	}
	return r, nil
}

// escape keeps compose, which reads the file too, from taking a $ for a variable.
func escape(s string) string   { return strings.ReplaceAll(s, "$", "$$") }
func unescape(s string) string { return strings.ReplaceAll(s, "$$", "$") }

func sum(body []byte) string {
	hash := sha256.Sum256(body)
	return hex.EncodeToString(hash[:])
}

// Same reports whether two revisions are the same state: nothing would change between
// them.
func (r *Revision) Same(other *Revision) bool {
	one, err := json.Marshal([]any{r.Document, r.Services, r.Secrets, r.Env, r.Folder, r.Workspace, r.Files})
	if err != nil {
		return false
	}
	two, err := json.Marshal([]any{other.Document, other.Services, other.Secrets, other.Env, other.Folder, other.Workspace, other.Files})
	return err == nil && bytes.Equal(one, two)
}

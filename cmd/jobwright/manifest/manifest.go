// Package manifest reads the objects of manifests: files, folders and standard input.
package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/client"
	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
)

// maxManifest bounds one manifest file; 64 MiB hold a hundred thousand jobs.
const maxManifest = 64 << 20

// Document is one object of a manifest, with its location for messages.
type Document struct {
	Where  string
	Object v1.Object
	file   string
	text   strict.Document
}

// Refused returns one error for each problem that the server has with the object, with its
// line, and otherwise err with the location of the object.
func (d Document) Refused(err error) []error {
	status, ok := errors.AsType[*client.StatusError](err)
	if !ok || status.Status.Reason != metav1.StatusReasonInvalid || status.Status.Details == nil || len(status.Status.Details.Causes) == 0 {
		return []error{fmt.Errorf("%s: %w", d.Where, err)}
	}
	var problems strict.Problems
	for _, cause := range status.Status.Details.Causes {
		problems = append(problems, strict.Problem{Line: d.text.LineOf(cause.Field), Path: cause.Field, Message: cause.Message})
	}
	slices.SortStableFunc(problems, func(a, b strict.Problem) int { return a.Line - b.Line })
	return cli.InFile(d.file, problems)
}

// Read reads every document of files, folders (their .yaml, .yml and .json files) and
// standard input ("-"). An error means that no document is returned.
func Read(c *cli.Invocation, paths []string) ([]Document, error) {
	var docs []Document
	var problems []error
	for _, path := range paths {
		files, err := manifestFiles(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		for _, file := range files {
			read, err := readManifest(c, file)
			if err != nil {
				problems = append(problems, err)
			}
			docs = append(docs, read...)
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, fmt.Errorf("no objects in %s", strings.Join(paths, ", "))
	}
	// Kinds that contain others, such as workspaces, come first.
	rank := map[string]int{}
	for i, kind := range c.Kinds {
		rank[kind.Name] = i
	}
	slices.SortStableFunc(docs, func(a, b Document) int {
		return rank[a.Object.GetObjectKind().GroupVersionKind().Kind] - rank[b.Object.GetObjectKind().GroupVersionKind().Kind]
	})
	return docs, nil
}

func manifestFiles(path string) ([]string, error) {
	if path == "-" {
		return []string{"-"}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		if entry.Type()&fs.ModeDir == 0 && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(entry.Name())) {
			files = append(files, filepath.Join(path, entry.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no .yaml, .yml or .json file in this folder", path)
	}
	return files, nil
}

func readManifest(c *cli.Invocation, path string) ([]Document, error) {
	in := c.In
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(data) > maxManifest {
		return nil, fmt.Errorf("%s: a manifest is limited to %d bytes", path, maxManifest)
	}
	texts, err := strict.Documents(data)
	problems := cli.InFile(path, err)
	var docs []Document
	for n, text := range texts {
		read, err := readDocument(c, fmt.Sprintf("%s, document %d", path, n+1), text)
		problems = append(problems, cli.InFile(path, err)...)
		for i := range read {
			read[i].file = path
		}
		docs = append(docs, read...)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return docs, nil
}

// readDocument reads one object, or the objects of a List.
func readDocument(c *cli.Invocation, where string, text strict.Document) ([]Document, error) {
	kind, items := text.Text("kind"), text.Items("items")
	if kind != "List" && (!strings.HasSuffix(kind, "List") || len(items) == 0) {
		obj, err := text.Object(c.Kinds)
		return []Document{{Where: where, Object: obj, text: text}}, err
	}
	var docs []Document
	var problems error
	for i, item := range items {
		read, err := readDocument(c, fmt.Sprintf("%s, item %d", where, i+1), item)
		problems = strict.Join(problems, err)
		docs = append(docs, read...)
	}
	return docs, problems
}

// IntoWorkspace sets the workspace of the command on an object that names none.
func IntoWorkspace(c *cli.Invocation, obj v1.Object) {
	kind, _ := c.Kinds.Of(obj)
	if kind.Namespaced && obj.GetNamespace() == "" {
		obj.SetNamespace(c.Workspace)
	}
}

// Keys returns the keys of the objects of manifests; kinds that contain others come last.
func Keys(c *cli.Invocation, files []string) ([]client.Key, error) {
	docs, err := Read(c, files)
	if err != nil {
		return nil, err
	}
	var keys []client.Key
	for _, doc := range slices.Backward(docs) {
		obj := doc.Object
		IntoWorkspace(c, obj)
		kind, _ := c.Kinds.Of(obj)
		keys = append(keys, client.Key{Kind: kind, Namespace: obj.GetNamespace(), Name: obj.GetName()})
	}
	return keys, nil
}

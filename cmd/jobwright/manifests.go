package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
)

// maxManifest bounds one manifest file; 64 MiB hold a hundred thousand jobs.
const maxManifest = 64 << 20

// document is one object of a manifest and where it stands.
type document struct {
	where string
	obj   v1.Object
}

// readManifests reads every document of files, folders (their .yaml, .yml and .json
// files) and "-". Nothing is returned unless all of it can be read.
func (c *cli) readManifests(paths []string) ([]document, error) {
	var docs []document
	var problems []error
	for _, path := range paths {
		files, err := manifestFiles(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		for _, file := range files {
			read, err := c.readManifest(file)
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
	// What others live in comes first.
	rank := map[string]int{}
	for i, kind := range c.kinds {
		rank[kind.Name] = i
	}
	slices.SortStableFunc(docs, func(a, b document) int {
		return rank[a.obj.GetObjectKind().GroupVersionKind().Kind] - rank[b.obj.GetObjectKind().GroupVersionKind().Kind]
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

func (c *cli) readManifest(path string) ([]document, error) {
	in := c.in
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
	problems := inFile(path, err)
	var docs []document
	for n, text := range texts {
		read, err := c.readDocument(fmt.Sprintf("%s, document %d", path, n+1), text)
		problems = append(problems, inFile(path, err)...)
		docs = append(docs, read...)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return docs, nil
}

// inFile is one error for each of a text's problems, with the file that it is in.
func inFile(path string, err error) []error {
	problems, ok := errors.AsType[strict.Problems](err)
	if !ok {
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return slices.DeleteFunc([]error{err}, func(err error) bool { return err == nil })
	}
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = fmt.Errorf("%s: %s", path, p)
	}
	return errs
}

// readDocument reads one object, or the objects of a List.
func (c *cli) readDocument(where string, text strict.Document) ([]document, error) {
	kind, items := text.Text("kind"), text.Items("items")
	if kind != "List" && (!strings.HasSuffix(kind, "List") || len(items) == 0) {
		obj, err := text.Object(c.kinds)
		return []document{{where: where, obj: obj}}, err
	}
	var docs []document
	var problems error
	for i, item := range items {
		read, err := c.readDocument(fmt.Sprintf("%s, item %d", where, i+1), item)
		problems = strict.Join(problems, err)
		docs = append(docs, read...)
	}
	return docs, problems
}

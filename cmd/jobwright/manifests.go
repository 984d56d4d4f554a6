package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

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
func readManifests(paths []string, stdin io.Reader) ([]document, error) {
	var docs []document
	var problems []error
	for _, path := range paths {
		files, err := manifestFiles(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		for _, file := range files {
			read, err := readManifest(file, stdin)
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
	for i, kind := range v1.Kinds() {
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

func readManifest(path string, stdin io.Reader) ([]document, error) {
	in := stdin
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
	var docs []document
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for n := 1; ; n++ {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		where := fmt.Sprintf("%s, document %d", path, n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		read, err := readDocument(where, text)
		if err != nil {
			return nil, err
		}
		docs = append(docs, read...)
	}
}

// readDocument reads one object, or the objects of a List; nothing when there are
// only comments.
func readDocument(where string, text []byte) ([]document, error) {
	var head struct {
		metav1.TypeMeta `json:",inline"`
		Items           []json.RawMessage `json:"items"`
	}
	if err := yaml.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	if head.Kind == "" && head.APIVersion == "" {
		var empty map[string]any
		if yaml.Unmarshal(text, &empty) == nil && len(empty) == 0 {
			return nil, nil
		}
	}
	if head.Kind == "List" || strings.HasSuffix(head.Kind, "List") && len(head.Items) > 0 {
		var docs []document
		for i, item := range head.Items {
			read, err := readDocument(fmt.Sprintf("%s, item %d", where, i+1), item)
			if err != nil {
				return nil, err
			}
			docs = append(docs, read...)
		}
		return docs, nil
	}
	kind, ok := v1.KindByName(head.Kind)
	if !ok || head.APIVersion != v1.APIVersion {
		var known []string
		for _, k := range v1.Kinds() {
			known = append(known, k.Name)
		}
		return nil, fmt.Errorf("%s: kind %q of apiVersion %q: supported: %s of %s", where, head.Kind, head.APIVersion, strings.Join(known, ", "), v1.APIVersion)
	}
	obj := kind.New()
	if err := yaml.UnmarshalStrict(text, obj); err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return []document{{where: where, obj: obj}}, nil
}

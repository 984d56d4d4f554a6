package main

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// source is a package and the kinds in it.
type source struct {
	pkg   *types.Package
	roots []*types.Named
	// meta is the metadata of objects.
	meta *types.Named
}

// rootMarker marks a type that is an object by itself.
const rootMarker = "+kubebuilder:object:root=true"

// load reads the types of the package in dir. What is generated may be missing, or be
// that of other types: only declarations count.
func load(dir string) (*source, error) {
	files := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var parsed []*ast.File
	imports := map[string]bool{}
	var names []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || filepath.Base(path) == output {
			continue
		}
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, file)
		for _, spec := range file.Imports {
			imports[strings.Trim(spec.Path.Value, `"`)] = true
		}
		names = append(names, rootNames(file)...)
	}
	lookup, err := exportData(imports)
	if err != nil {
		return nil, err
	}
	config := types.Config{
		Importer: importer.ForCompiler(files, "gc", lookup),
		Error:    func(error) {}, // bodies call methods that are yet to be generated
	}
	pkg, _ := config.Check(dir, files, parsed, nil)
	if pkg == nil {
		return nil, fmt.Errorf("%s: no package", dir)
	}
	s := &source{pkg: pkg}
	for _, name := range names {
		if named, ok := pkg.Scope().Lookup(name).Type().(*types.Named); ok && hasParts(named) {
			s.roots = append(s.roots, named)
		}
	}
	for _, imported := range pkg.Imports() {
		if found := imported.Scope().Lookup("ObjectMeta"); found != nil {
			s.meta, _ = found.Type().(*types.Named)
		}
	}
	if len(s.roots) == 0 || s.meta == nil {
		return nil, fmt.Errorf("%s: no type with %s and a spec", dir, rootMarker)
	}
	return s, nil
}

// rootNames are the types of a file that are marked.
func rootNames(file *ast.File) (names []string) {
	for _, declaration := range file.Decls {
		general, ok := declaration.(*ast.GenDecl)
		if !ok || general.Doc == nil {
			continue
		}
		for _, comment := range general.Doc.List {
			if strings.Contains(comment.Text, rootMarker) {
				for _, spec := range general.Specs {
					if named, ok := spec.(*ast.TypeSpec); ok {
						names = append(names, named.Name.Name)
					}
				}
			}
		}
	}
	return names
}

// hasParts tells an object from a list of objects.
func hasParts(named *types.Named) bool {
	structure, ok := named.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	parts := 0
	for field := range structure.Fields() {
		if field.Name() == "Spec" || field.Name() == "Status" {
			parts++
		}
	}
	return parts == 2
}

// exportData finds what the compiler knows of the imported packages.
func exportData(imports map[string]bool) (importer.Lookup, error) {
	arguments := append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}, slices.Sorted(maps.Keys(imports))...)
	command := exec.CommandContext(context.Background(), "go", arguments...)
	command.Stderr = os.Stderr
	listed, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(bytes.TrimSpace(listed))) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[path] = file
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }, nil
}

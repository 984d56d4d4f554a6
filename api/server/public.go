package server

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What clients are told names files and no folders: where things lie on the server is the
// operator's matter, and the log tells it.

// absolutePath matches an absolute path with a folder in it, and what stands before it. A
// URL's path does not match, because its scheme or host stands before it.
var absolutePath = sync.OnceValue(func() *regexp.Regexp {
	const name = "[^\\s/\"'`()\\[\\]{}<>,;:=|]"
	return regexp.MustCompile("(^|[\\s\"'`(\\[{<,;=|])/(?:" + name + "+/+)+(" + name + "*)")
})

// withoutFolders cuts the absolute paths in a text to the names of their files.
func withoutFolders(text string) string {
	if !strings.ContainsRune(text, '/') {
		return text
	}
	return absolutePath().ReplaceAllString(text, "$1$2")
}

// withoutDataDir removes the data folder from the file names in a text.
func (s *Server) withoutDataDir(text string) string {
	if !filepath.IsAbs(s.opts.DataDir) {
		return text
	}
	return strings.ReplaceAll(text, filepath.Clean(s.opts.DataDir)+string(filepath.Separator), "")
}

// public is a text about the server's own state as clients may see it.
func (s *Server) public(text string) string { return withoutFolders(s.withoutDataDir(text)) }

// publicStatus is a refusal as clients may see it. A refusal below 500 is about the request
// and may repeat what its sender has written, paths included.
func (s *Server) publicStatus(status metav1.Status) metav1.Status {
	if status.Code >= 500 {
		status.Message = s.public(status.Message)
	} else {
		status.Message = s.withoutDataDir(status.Message)
	}
	return status
}

// publicText is the message of an error, with file names instead of the paths that it
// carries.
func publicText(err error) string {
	text := err.Error()
	var paths []string
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		paths = []string{at.Path}
	}
	if between, ok := errors.AsType[*os.LinkError](err); ok {
		paths = append(paths, between.Old, between.New)
	}
	for _, path := range paths {
		if strings.ContainsRune(path, filepath.Separator) {
			text = strings.ReplaceAll(text, path, filepath.Base(path))
		}
	}
	return text
}

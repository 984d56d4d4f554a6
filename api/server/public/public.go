package public

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

// DataDir is the server's data folder, which no text for a client names; empty: there is none.
type DataDir string

// without removes the data folder from the file names in a text.
func (d DataDir) without(text string) string {
	if !filepath.IsAbs(string(d)) {
		return text
	}
	return strings.ReplaceAll(text, filepath.Clean(string(d))+string(filepath.Separator), "")
}

// Text is a text about the server's own state as clients may see it.
func (d DataDir) Text(text string) string { return withoutFolders(d.without(text)) }

// Status is a refusal as clients may see it. A refusal below 500 is about the request
// and may repeat what its sender has written, paths included.
func (d DataDir) Status(status metav1.Status) metav1.Status {
	if status.Code >= 500 {
		status.Message = d.Text(status.Message)
	} else {
		status.Message = d.without(status.Message)
	}
	return status
}

// ErrorText is the message of an error, with file names instead of the paths that it
// carries.
func ErrorText(err error) string {
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

package config

import (
	"bytes"
	"os"
	"strings"

	"github.com/joho/godotenv"
)

// envFile reads a file of variables, as VS Code and Cursor have it. What env sets beside
// goes first.
func (r *reader) envFile(n node) {
	path := r.folder(n)
	if path == "" {
		return
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		r.wrongFile(n, path, "%v", plain(err))
		return
	case !info.Mode().IsRegular() || info.Size() > maxFile:
		r.wrongFile(n, path, "it must be a file of at most %d bytes", maxFile)
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		r.wrongFile(n, path, "%v", plain(err))
		return
	}
	// What is wrong is not repeated: it may be a secret.
	read, err := godotenv.UnmarshalBytes(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	if err != nil || len(read) > maxItems {
		r.wrongFile(n, path, "the file is not made of at most %d lines NAME=VALUE", maxItems)
		return
	}
	for name, value := range read {
		if strings.ContainsRune(value, 0) {
			r.wrongFile(n, path, "the value of %s has a NUL character", name)
		}
	}
	r.file = read
}

// mergeFile gives the program the variables of its file that env does not set.
func (r *reader) mergeFile() {
	if len(r.file) == 0 {
		return
	}
	if r.server.Env == nil {
		r.server.Env = map[string]string{}
	}
	for name, value := range r.file {
		if _, set := r.server.Env[name]; !set {
			r.server.Env[name] = value
		}
	}
}

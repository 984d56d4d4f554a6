package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
)

//go:embed assets
var embedded embed.FS

// mark is the placeholder in index.html for the address of the assets.
const mark = "/jobs/-/ASSETS/"

// site holds every file by its URL path.
type site struct {
	files map[string]file
	// base is the address of the assets, with their hash.
	base string
}

// file is one response body with its headers.
type file struct {
	body         []byte
	gzipped      []byte // nil: not worth it
	contentType  string
	cacheControl string
	etag         string
}

// contentTypes is a fixed table. Package mime would also read the tables of the machine.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// newSite reads the assets of tree. It panics on an error, because only a wrong build can
// cause one.
func newSite(tree fs.FS) *site {
	bodies := map[string][]byte{}
	hash := sha256.New()
	err := fs.WalkDir(tree, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		if contentTypes[path.Ext(name)] == "" {
			return fmt.Errorf("%s: no content type for this extension", name)
		}
		fmt.Fprintf(hash, "%s %d\n", name, len(body))
		hash.Write(body)
		bodies[name[len("assets/"):]] = body
		return nil
	})
	if err != nil {
		panic("web: " + err.Error())
	}
	s := &site{files: map[string]file{}, base: root + "/-/" + hex.EncodeToString(hash.Sum(nil))[:16] + "/"}
	for name, body := range bodies {
		if name == "index.html" {
			body = bytes.ReplaceAll(body, []byte(mark), []byte(s.base))
			s.files[root] = newFile(name, body, "no-cache")
			continue
		}
		s.files[s.base+name] = newFile(name, body, "public, max-age=31536000, immutable")
	}
	return s
}

func newFile(name string, body []byte, cacheControl string) file {
	sum := sha256.Sum256(body)
	f := file{
		body: body, contentType: contentTypes[path.Ext(name)], cacheControl: cacheControl,
		etag: `"` + hex.EncodeToString(sum[:8]) + `"`,
	}
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		panic("web: " + err.Error())
	}
	// A write to a bytes.Buffer does not fail.
	_, _ = z.Write(body)
	_ = z.Close()
	if buf.Len() < len(body) {
		f.gzipped = buf.Bytes()
	}
	return f
}

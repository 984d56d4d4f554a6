package interruptions

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// registry serves one image, whose layer it withholds until it is released.
type registry struct {
	server  *httptest.Server
	blobs   map[string][]byte // by digest
	layer   string
	reached chan struct{}
	release chan struct{}
	once    sync.Once
}

func newRegistry(t *testing.T, listen func(network, address string) (net.Listener, error), layer []byte) *registry {
	t.Helper()
	r := &registry{blobs: map[string][]byte{}, reached: make(chan struct{}), release: make(chan struct{})}
	r.layer = r.add(layer)
	config := r.encode(t, map[string]any{
		"architecture": "amd64", "os": "linux", "config": map[string]any{"Entrypoint": []string{"/app"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{r.layer}},
	})
	const schema = "application/vnd.docker.distribution.manifest.v2+json"
	manifest := r.encode(t, map[string]any{
		"schemaVersion": 2, "mediaType": schema,
		"config": map[string]any{"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(r.blobs[config]), "digest": config},
		"layers": []any{map[string]any{"mediaType": "application/vnd.docker.image.rootfs.diff.tar", "size": len(layer), "digest": r.layer}},
	})
	listener, err := listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		name := q.URL.Path[strings.LastIndex(q.URL.Path, "/")+1:]
		switch {
		case q.URL.Path == "/v2/":
			w.WriteHeader(http.StatusOK)
			return
		case strings.Contains(q.URL.Path, "/manifests/"):
			name = manifest
			w.Header().Set("Content-Type", schema)
			w.Header().Set("Docker-Content-Digest", manifest)
		case name == r.layer:
			r.once.Do(func() { close(r.reached) })
			select {
			case <-r.release:
			case <-q.Context().Done():
				return
			}
		}
		http.ServeContent(w, q, "", testTime, bytes.NewReader(r.blobs[name]))
	}))
	r.server.Listener.Close()
	r.server.Listener = listener
	r.server.Start()
	t.Cleanup(r.server.Close)
	return r
}

// ref is the image's name.
func (r *registry) ref() string { return strings.TrimPrefix(r.server.URL, "http://") + "/app:2" }

func (r *registry) add(blob []byte) string {
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(blob))
	r.blobs[digest] = blob
	return digest
}

func (r *registry) encode(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return r.add(text)
}

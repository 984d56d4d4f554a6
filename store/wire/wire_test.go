package wire_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/server"
	"jobwright.dev/api/server/auth"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	logfiles "jobwright.dev/store/logs/file"
	"jobwright.dev/store/storetest"
	"jobwright.dev/store/wire"
)

// remote is a store behind a real server over a real engine.
type remote struct {
	*wire.Store
	stop func()
}

// blocking is a worker that says of each job what it waits for: what the server computes
// for readers must not be taken for what is stored.
type blocking struct{ server.Worker }

func (blocking) Blockers(context.Context, *v1.Job) ([]v1.Blocker, error) {
	return []v1.Blocker{{Kind: v1.BlockedByPosition, Message: "computed"}}, nil
}

// Close stops the server too.
func (r *remote) Close() error {
	err := r.Store.Close()
	r.stop()
	return err
}

// serve starts a server over the objects in dir.
func serve(t *testing.T, dir string, wrap func(http.Handler) http.Handler) (objects *file.Store, address string, stop func()) {
	t.Helper()
	objects, err := file.Open(dir, file.Options{SegmentSize: 1 << 20, MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	archive, err := logfiles.Open(filepath.Join(dir, "logs"), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range storetest.Workspaces() {
		ws := &v1.Workspace{TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace}, ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := objects.Create(t.Context(), ws); err != nil && !errors.Is(err, store.ErrExists) {
			t.Fatal(err)
		}
	}
	api, err := server.New(server.Options{Store: objects, Logs: archive, Log: logr.Discard(), Worker: blocking{}, Authorizer: worker{}})
	if err != nil {
		t.Fatal(err)
	}
	handler := http.Handler(api)
	if wrap != nil {
		handler = wrap(api)
	}
	listening := httptest.NewServer(handler)
	return objects, listening.URL, func() {
		listening.CloseClientConnections()
		listening.Close()
		archive.Close()
		if err := objects.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Engine{Open: func(t *testing.T, dir string) store.Store {
		t.Helper()
		_, address, stop := serve(t, dir, nil)
		s, err := wire.New(wire.Options{Server: address, AtomicRerun: true})
		if err != nil {
			t.Fatal(err)
		}
		return &remote{Store: s, stop: stop}
	}}, store.Features{AtomicRerun: true})
}

// worker is the Authorizer of a server whose only client is a worker, which may write what
// it has seen.
type worker struct{}

func (worker) Authorize(auth.Identity, auth.Action) error { return nil }

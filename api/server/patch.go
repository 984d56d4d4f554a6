package server

import (
	"errors"
	"io"
	"mime"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"jobwright.dev/api/patch"
	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// patchTries is how often a patch without a resourceVersion is applied when the object
// changes meanwhile; the Kubernetes API tries five times.
const patchTries = 5

func (s *Server) patch(w http.ResponseWriter, r *request) error {
	return s.patchWith(w, r, s.write)
}

func (s *Server) patchStatus(w http.ResponseWriter, r *request) error {
	return s.patchWith(w, r, s.writeStatus)
}

func (s *Server) patchWith(w http.ResponseWriter, r *request, write func(*request, v1.Object) (store.Record, error)) error {
	kind := r.route.Kind
	change, err := readPatch(r)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		current, err := s.opts.Store.Get(r.Context(), r.key())
		if err != nil {
			return err
		}
		patched, err := change.Apply(current.AppendJSON(nil))
		if errors.Is(err, patch.ErrTooLarge) {
			return apierrors.NewRequestEntityTooLargeError(err.Error())
		}
		if err != nil {
			return apierrors.NewBadRequest("the patch cannot be applied: " + err.Error())
		}
		obj := kind.New()
		d, err := strict.JSON(patched)
		if err := decodeInto(d, err, kind, obj); err != nil {
			return err
		}
		if err := checkKey(r, obj); err != nil {
			return err
		}
		record, err := write(r, obj)
		if errors.Is(err, store.ErrConflict) && try < patchTries {
			continue
		}
		if err != nil {
			return err
		}
		writeRecord(w, http.StatusOK, record)
		return nil
	}
}

// readPatch reads the request's patch.
func readPatch(r *request) (change patch.Patch, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch media {
	case "application/merge-patch+json":
		change, err = patch.Merge(body)
	case "application/json-patch+json":
		change, err = patch.JSON(body)
	default:
		return nil, unsupportedMedia(r, "application/merge-patch+json", "application/json-patch+json")
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return change, nil
}

package server

import (
	"errors"
	"io"
	"mime"
	"net/http"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// patchTries is how often a patch without a resourceVersion is applied anew when the
// object changes meanwhile; the Kubernetes API tries five times.
const patchTries = 5

func (s *Server) patch(w http.ResponseWriter, r *request) error {
	return s.patchWith(w, r, s.write)
}

func (s *Server) patchStatus(w http.ResponseWriter, r *request) error {
	return s.patchWith(w, r, s.writeStatus)
}

func (s *Server) patchWith(w http.ResponseWriter, r *request, write func(*request, v1.Object) (store.Record, error)) error {
	kind := r.route.Kind
	apply, err := readPatch(r)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		current, err := s.opts.Store.Get(r.Context(), r.key())
		if err != nil {
			return err
		}
		patched, err := apply(current.AppendJSON(nil))
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

// readPatch returns what the request's patch makes of an object's JSON.
func readPatch(r *request) (func([]byte) ([]byte, error), error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch media {
	case "application/merge-patch+json":
		return func(doc []byte) ([]byte, error) { return jsonpatch.MergePatch(doc, body) }, nil
	case "application/json-patch+json":
		patch, err := jsonpatch.DecodePatch(body)
		if err != nil {
			return nil, apierrors.NewBadRequest("the body is no JSON patch: " + err.Error())
		}
		return patch.Apply, nil
	}
	return nil, unsupportedMedia(r, "application/merge-patch+json", "application/json-patch+json")
}

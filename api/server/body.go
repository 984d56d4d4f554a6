package server

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"jobwright.dev/api/server/public"
	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
)

// readDocument reads a request's body, JSON or YAML as its Content-Type says.
func readDocument(r *request) (strict.Document, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return strict.Document{}, err
	}
	media, err := mediaOf(r)
	switch {
	case err != nil:
		return strict.Document{}, err
	case media == "application/json":
		return strict.JSON(body)
	}
	return strict.YAML(body)
}

// mediaOf is the registered media type of a request's body: application/json, which is
// also the default, or application/yaml.
func mediaOf(r *request) (string, error) {
	header := r.Header.Get("Content-Type")
	if header == "" {
		return "application/json", nil
	}
	media, _, err := mime.ParseMediaType(header)
	if err != nil {
		media = ""
	}
	switch media {
	case "application/json":
		return media, nil
	case "application/yaml", "application/x-yaml", "text/yaml":
		return "application/yaml", nil
	}
	return "", unsupportedMedia(r, "application/json", "application/yaml")
}

// decodeBody decodes a request's body, JSON or YAML, into an object of the route's kind that
// has its apiVersion and kind. All problems are reported at once, those of validation among them.
func decodeBody(r *request, obj v1.Object) error {
	d, err := readDocument(r)
	return decodeInto(d, err, r.route.Kind, obj)
}

func unsupportedMedia(r *request, allowed ...string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: fmt.Sprintf("the media type %s is not supported; use %s", public.Quote(r.Header.Get("Content-Type")), strings.Join(allowed, " or ")),
	}}
}

// decodeInto decodes a document into obj. read holds the problems found while the document
// was read.
func decodeInto(d strict.Document, read error, kind v1.Kind, obj v1.Object) error {
	if _, ok := errors.AsType[strict.Problems](read); read != nil && !ok {
		return read
	}
	if d.Empty() {
		if read == nil {
			read = strict.Problems{{Message: "the body is empty; it must be a " + kind.Name}}
		}
		return badBody("the body cannot be read: ", read)
	}
	want := obj.GetObjectKind().GroupVersionKind()
	err := d.DecodeObject(kind, obj)
	if got := obj.GetObjectKind().GroupVersionKind(); got != want {
		return apierrors.NewBadRequest(fmt.Sprintf("the object is a %s of %s, this address takes a %s of %s",
			got.Kind, got.GroupVersion(), want.Kind, want.GroupVersion()))
	}
	if err = strict.Join(read, err); err != nil {
		return badBody(fmt.Sprintf("%s in version %q cannot be handled as a %s: strict decoding error: ", kind.Name, v1.APIVersion, kind.Name), err)
	}
	return nil
}

// decodeOptions decodes a document into options. Unknown fields are ignored, because
// clients of a newer Kubernetes send some.
func decodeOptions(d strict.Document, read error, into any) error {
	if _, ok := errors.AsType[strict.Problems](read); read != nil && !ok {
		return read
	}
	if !d.Empty() {
		read = strict.Join(read, d.DecodeKnown(into))
	}
	if read != nil {
		return badBody("the body cannot be read: ", read)
	}
	return nil
}

// badBody is the refusal of a body: its problems in words, and one by one as causes.
func badBody(prefix string, err error) error {
	refusal := apierrors.NewBadRequest(prefix + err.Error())
	if problems, ok := errors.AsType[strict.Problems](err); ok {
		refusal.ErrStatus.Details = &metav1.StatusDetails{}
		for _, p := range problems {
			refusal.ErrStatus.Details.Causes = append(refusal.ErrStatus.Details.Causes, metav1.StatusCause{
				Type: metav1.CauseTypeFieldValueInvalid, Field: p.Path, Message: p.Message,
			})
		}
	}
	return refusal
}

// checkKey checks that the object is the one the path names.
func checkKey(r *request, obj v1.Object) error {
	if obj.GetNamespace() == "" && r.route.Kind.Namespaced {
		obj.SetNamespace(r.workspace)
	}
	if obj.GetName() != r.name || obj.GetNamespace() != r.workspace {
		return apierrors.NewBadRequest(fmt.Sprintf("the object is %q in namespace %q, the address names %q in %q",
			obj.GetName(), obj.GetNamespace(), r.name, r.workspace))
	}
	return nil
}

// validate checks an object that is created (old is nil) or updated.
func validate(kind v1.Kind, obj, old v1.Object) error {
	var errs field.ErrorList
	if old == nil {
		errs = kind.Validate(obj)
	} else {
		errs = kind.ValidateUpdate(obj, old)
	}
	return invalid(kind, obj.GetName(), errs)
}

// invalid is the refusal of an object that has validation errors; nil: it has none.
func invalid(kind v1.Kind, name string, errs field.ErrorList) error {
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(schema.GroupKind{Group: v1.Group, Kind: kind.Name}, name, errs)
}

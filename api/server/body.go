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
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	v1 "jobwright.dev/api/v1"
)

// decodeBody decodes a request's body, JSON or YAML, into an object that has its
// apiVersion and kind. Unknown and doubled fields are refused.
func decodeBody(r *http.Request, obj v1.Object) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" {
		return unsupportedMedia(r, "application/json", "application/yaml")
	}
	switch media {
	case "", "application/json":
	case "application/yaml", "application/x-yaml", "text/yaml":
		if body, err = yaml.YAMLToJSONStrict(body); err != nil {
			return apierrors.NewBadRequest("the body is no YAML: " + err.Error())
		}
	default:
		return unsupportedMedia(r, "application/json", "application/yaml")
	}
	return decodeObject(body, obj)
}

func unsupportedMedia(r *http.Request, allowed ...string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: fmt.Sprintf("the media type %s is not supported; use %s", quote(r.Header.Get("Content-Type")), strings.Join(allowed, " or ")),
	}}
}

func decodeObject(body []byte, obj v1.Object) error {
	want := obj.GetObjectKind().GroupVersionKind()
	strict, err := kjson.UnmarshalStrict(body, obj)
	if err != nil {
		return apierrors.NewBadRequest(fmt.Sprintf("the object provided is unrecognized (must be of type %s): %v", want.Kind, err))
	}
	if len(strict) > 0 {
		return apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: strict decoding error: %v",
			want.Kind, want.GroupVersion().String(), want.Kind, errors.Join(strict...)))
	}
	got := obj.GetObjectKind().GroupVersionKind()
	if got != want {
		return apierrors.NewBadRequest(fmt.Sprintf("the object is a %s of %s, this address takes a %s of %s",
			got.Kind, got.GroupVersion(), want.Kind, want.GroupVersion()))
	}
	return nil
}

func decodeLoose(body []byte, into any) error {
	return kjson.UnmarshalCaseSensitivePreserveInts(body, into)
}

// checkKey checks that the object is the one the path names.
func checkKey(r *http.Request, kind v1.Kind, obj v1.Object) error {
	if obj.GetNamespace() == "" && kind.Namespaced {
		obj.SetNamespace(r.PathValue("namespace"))
	}
	if obj.GetName() != r.PathValue("name") || obj.GetNamespace() != r.PathValue("namespace") {
		return apierrors.NewBadRequest(fmt.Sprintf("the object is %q in namespace %q, the address names %q in %q",
			obj.GetName(), obj.GetNamespace(), r.PathValue("name"), r.PathValue("namespace")))
	}
	return nil
}

// validate checks an object that is created (old is nil) or updated.
func validate(obj, old v1.Object) error {
	var errs field.ErrorList
	switch o := obj.(type) {
	case *v1.Job:
		if old == nil {
			errs = v1.ValidateJob(o)
		} else {
			errs = v1.ValidateJobUpdate(o, old.(*v1.Job))
		}
	case *v1.Workspace:
		if old == nil {
			errs = v1.ValidateWorkspace(o)
		} else {
			errs = v1.ValidateWorkspaceUpdate(o, old.(*v1.Workspace))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	kind := obj.GetObjectKind().GroupVersionKind().Kind
	return apierrors.NewInvalid(schema.GroupKind{Group: v1.Group, Kind: kind}, obj.GetName(), errs)
}

// statusAllowed checks a status that is written through the API against what a job
// may become.
func statusAllowed(old, changed *v1.Job) error {
	errs := v1.CheckTransition(old, changed)
	errs = append(errs, v1.Check(changed)...)
	if len(errs) == 0 {
		return nil
	}
	var list field.ErrorList
	for _, err := range errs {
		list = append(list, field.Forbidden(field.NewPath("status"), err.Error()))
	}
	return apierrors.NewInvalid(schema.GroupKind{Group: v1.Group, Kind: v1.KindJob}, old.Name, list)
}

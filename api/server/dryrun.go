package server

import (
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/server/auth"
	"jobwright.dev/api/server/public"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// dryRunOf reports whether the query of a request asks for a dry run. A request that does
// more than read is refused when the server cannot tell, or has no dry run at its address:
// it must not have effects that its sender has excluded.
func dryRunOf(r *request) (bool, error) {
	if r.URL.RawQuery == "" || r.route.Scope == "" || !r.route.effects(r.Method) || r.route.Verb == auth.Plan {
		return false, nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return false, apierrors.NewBadRequest("the query cannot be read: " + err.Error())
	}
	r.query = query
	values := query["dryRun"]
	if len(values) == 0 {
		return false, nil
	}
	if !slices.ContainsFunc(r.route.Query, func(p Parameter) bool { return p.Name == "dryRun" }) {
		return false, apierrors.NewBadRequest("dryRun: this address has no dry run; nothing was done")
	}
	return dryRunIn(values)
}

// dryRunIn reads the values of dryRun, from a query or from the options in a body.
func dryRunIn(values []string) (bool, error) {
	for _, value := range values {
		if value != metav1.DryRunAll {
			return false, apierrors.NewBadRequest("dryRun must be " + metav1.DryRunAll + ", not " + public.Quote(value))
		}
	}
	return len(values) > 0, nil
}

// candidate is obj as an update of old would store it, for the answer to a dry run. Its
// resourceVersion is that of old, because nothing was stored.
func (s *Server) candidate(kind v1.Kind, obj v1.Object, old store.Record) (store.Record, error) {
	before, err := old.Object(s.opts.Kinds)
	if err != nil {
		return store.Record{}, err
	}
	obj = kind.Stored(obj)
	if !equality.Semantic.DeepEqual(kind.Spec(obj), kind.Spec(before)) {
		obj.SetGeneration(before.GetGeneration() + 1)
	}
	if job, ok := obj.(*v1.Job); ok && s.opts.Store.Features().AtomicRerun {
		job.Status = v1.Rerun(job.Status, job.Spec.Reruns, time.Now())
	}
	obj.SetResourceVersion(before.GetResourceVersion())
	encoding, err := json.Marshal(obj)
	if err != nil {
		return store.Record{}, err
	}
	return store.NewRecord(old.Key(), old.UUID(), old.ResourceVersion(), encoding), nil
}

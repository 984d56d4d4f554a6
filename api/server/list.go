package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"jobwright.dev/api/server/public"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// list serves a page of a collection.
func (s *Server) list(w http.ResponseWriter, r *request) error {
	opts, err := listOptions(r)
	if err != nil {
		return err
	}
	page, err := s.opts.Store.List(r.Context(), opts)
	if err != nil {
		return err
	}
	writeList(w, r.route.Kind, page)
	return nil
}

func listOptions(r *request) (store.ListOptions, error) {
	query := r.params()
	opts := store.ListOptions{Kind: r.route.Kind.Name, Namespace: r.workspace, Continue: query.Get("continue")}
	if text := query.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 0 {
			return opts, apierrors.NewBadRequest("limit must be a number of at least 0, not " + public.Quote(text))
		}
		opts.Limit = limit
	}
	switch order := query.Get("order"); order {
	case "":
	case "newestFirst":
		opts.Order = store.NewestFirst
	case "oldestFirst":
		opts.Order = store.OldestFirst
	default:
		return opts, apierrors.NewBadRequest("order must be newestFirst or oldestFirst, not " + public.Quote(order))
	}
	if text := query.Get("labelSelector"); text != "" {
		selector, err := labels.Parse(text)
		if err != nil {
			return opts, apierrors.NewBadRequest("labelSelector: " + err.Error())
		}
		opts.Labels = selector
	}
	return opts, selectFields(query.Get("fieldSelector"), &opts)
}

// selectFields parses a field selector. Each supported field takes one value; status.phase
// may also exclude several.
func selectFields(text string, opts *store.ListOptions) error {
	selector, err := fields.ParseSelector(text)
	if err != nil {
		return apierrors.NewBadRequest("fieldSelector: " + err.Error())
	}
	var excluded []v1.JobPhase
	for _, wanted := range selector.Requirements() {
		if wanted.Field == "status.phase" && wanted.Operator == selection.NotEquals {
			excluded = append(excluded, v1.JobPhase(wanted.Value))
			continue
		}
		if wanted.Operator != selection.Equals && wanted.Operator != selection.DoubleEquals {
			return apierrors.NewBadRequest(fmt.Sprintf("fieldSelector: %s: only = is supported, and != for status.phase", wanted.Field))
		}
		switch wanted.Field {
		case "metadata.name":
			opts.Name = wanted.Value
		case fieldNamespace:
			if opts.Namespace != wanted.Value { // two namespaces at once select nothing
				opts.Name = noName
			}
		case "status.phase":
			opts.Phases = []v1.JobPhase{v1.JobPhase(wanted.Value)}
		default:
			return apierrors.NewBadRequest("field label not supported: " + wanted.Field)
		}
	}
	if len(excluded) == 0 {
		return nil
	}
	if len(opts.Phases) == 0 {
		opts.Phases = append(v1.JobPhases(), "")
	}
	opts.Phases = slices.DeleteFunc(opts.Phases, func(p v1.JobPhase) bool { return slices.Contains(excluded, p) })
	if len(opts.Phases) == 0 {
		opts.Name = noName
	}
	return nil
}

// noName is a name that no object can have, for a list that selects nothing.
const noName = "/"

// writeList answers with a page, its records as they are stored.
func writeList(w http.ResponseWriter, kind v1.Kind, page store.Page) {
	var b strings.Builder
	fmt.Fprintf(&b, `{"kind":"%sList","apiVersion":"%s","metadata":{"resourceVersion":"%d"`, kind.Name, v1.APIVersion, page.ResourceVersion)
	if page.Continue != "" {
		token, _ := json.Marshal(page.Continue) // a string always encodes
		fmt.Fprintf(&b, `,"continue":%s`, token)
		if page.Remaining >= 0 {
			fmt.Fprintf(&b, `,"remainingItemCount":%d`, page.Remaining)
		}
	}
	b.WriteString(`},"items":[`)
	size := b.Len() + 3
	for _, record := range page.Items {
		size += record.Len() + 1
	}
	out := append(make([]byte, 0, size), b.String()...)
	for i, record := range page.Items {
		if i > 0 {
			out = append(out, ',')
		}
		out = record.AppendJSON(out)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(out, "]}\n"...))
}

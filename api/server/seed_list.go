package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"jobwright.dev/api/seed"
	"jobwright.dev/api/server/public"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

const (
	// seedMaxLimit is how many jobs the seed's list shows at most.
	seedMaxLimit = 200
	// seedMaxOffset bounds offset, because every skipped job is read. Clients read further
	// with continue, which skips none.
	seedMaxOffset = 100_000
	// seedSkip is how many jobs one read skips.
	seedSkip = 1000
)

// seedMany is the result that lists jobs, the newest first.
type seedMany struct {
	Jobs []seed.Job `json:"jobs"`
	// Continue is what ?continue= takes for the jobs that follow; unset: there are none.
	Continue string `json:"continue,omitempty"`
}

// seedPage selects the jobs of a list.
type seedPage struct {
	limit, offset int
	next          string
	phases        []v1.JobPhase // unset: all
}

// notOfSeed are parameters by which other interfaces page and filter. If they were
// ignored, a client would take the first page for every page, or all jobs for those it
// selected.
var notOfSeed = []string{
	"page", "per_page", "perPage", "page_size", "pageSize", "size", "count", "skip", "start", "cursor", "after", "before", "since", "until",
	"sort", "sortBy", "order", "orderBy", "filter", "q", "search", "state", "type", "workspace", "workspaceId",
}

func readSeedPage(query url.Values) (seedPage, error) {
	page := seedPage{limit: seedMaxLimit, next: query.Get("continue")}
	for _, name := range notOfSeed {
		if query.Has(name) {
			return page, apierrors.NewBadRequest(name + ": is no parameter of this list, which takes limit, offset, continue and status")
		}
	}
	if query.Has("status") {
		phase, ok := seed.PhaseOf(query.Get("status"))
		if !ok {
			return page, apierrors.NewBadRequest(fmt.Sprintf("status: Unsupported value: %s: supported values: %s", public.Quote(query.Get("status")), seed.Statuses()))
		}
		page.phases = []v1.JobPhase{phase}
	}
	if err := bounded(query, "limit", 1, seedMaxLimit, &page.limit); err != nil {
		return page, err
	}
	if err := bounded(query, "offset", 0, seedMaxOffset, &page.offset); err != nil {
		return page, err
	}
	if page.next != "" && page.offset > 0 {
		return page, apierrors.NewBadRequest("offset: must not be set beside continue, which says where the list goes on")
	}
	return page, nil
}

// bounded reads a number of a query, if it is there.
func bounded(query url.Values, name string, least, most int, into *int) error {
	text := query.Get(name)
	if !query.Has(name) {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		hint := ""
		if name == "offset" {
			hint = "; to read further, pass the answer's result.continue as ?continue="
		}
		return apierrors.NewBadRequest(fmt.Sprintf("%s: must be a number from %d to %d, not %s%s", name, least, most, public.Quote(text), hint))
	}
	*into = n
	return nil
}

func (s *Server) seedList(w http.ResponseWriter, r *request) error {
	w.Header().Set("Cache-Control", "no-store")
	page, err := readSeedPage(r.params())
	if err != nil {
		return err
	}
	records, err := s.listSeed(r, page)
	if err != nil {
		return err
	}
	result := seedMany{Jobs: make([]seed.Job, 0, len(records.Items)), Continue: records.Continue}
	for _, record := range records.Items {
		job, err := s.seedJob(r.Context(), record, listLog)
		if err != nil {
			return err
		}
		result.Jobs = append(result.Jobs, job)
	}
	writeJSON(w, http.StatusOK, seedAnswer{OK: true, Result: result})
	return nil
}

// listSeed reads a page of a workspace's jobs.
func (s *Server) listSeed(r *request, page seedPage) (store.Page, error) {
	opts := store.ListOptions{Kind: v1.KindJob, Namespace: r.workspace, Order: store.NewestFirst, Continue: page.next, Phases: page.phases}
	for skip := page.offset; skip > 0; {
		opts.Limit = min(skip, seedSkip)
		skipped, err := s.opts.Store.List(r.Context(), opts)
		if err != nil || skipped.Continue == "" {
			return store.Page{}, err // the list ends before the offset
		}
		skip -= opts.Limit
		opts.Continue = skipped.Continue
	}
	opts.Limit = page.limit
	return s.opts.Store.List(r.Context(), opts)
}

package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// Get implements store.Store. It is a list of one: what the server computes for the
// readers of a single object is no part of the record.
func (s *Store) Get(ctx context.Context, key store.Key) (store.Record, error) {
	kind, err := s.kindOf(key.Kind, store.ErrNotFound)
	if err != nil || key.Name == "" || kind.Namespaced != (key.Namespace != "") {
		return store.Record{}, fmt.Errorf("get %s: %w", key, store.ErrNotFound)
	}
	page, err := s.list(ctx, kind, store.ListOptions{Kind: key.Kind, Namespace: key.Namespace, Name: key.Name, Limit: 1}, nil)
	if err != nil {
		return store.Record{}, fmt.Errorf("get %s: %w", key, err)
	}
	if len(page.Items) == 0 {
		return store.Record{}, fmt.Errorf("get %s: %w", key, store.ErrNotFound)
	}
	return page.Items[0], nil
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	kind, err := s.kindOf(opts.Kind, store.ErrInvalid)
	if err == nil && opts.Limit < 0 {
		err = fmt.Errorf("%w: the limit is %d", store.ErrInvalid, opts.Limit)
	}
	var page store.Page
	if err == nil {
		page, err = s.list(ctx, kind, opts, nil)
	}
	if err != nil {
		return store.Page{}, fmt.Errorf("list %s: %w", opts.Kind, err)
	}
	return page, nil
}

// list reads a page; each, which may be nil, sees what is in it.
func (s *Store) list(ctx context.Context, kind v1.Kind, opts store.ListOptions, each func(header)) (page store.Page, err error) {
	query, err := listQuery(kind, opts)
	if err != nil {
		return page, err
	}
	var answer struct {
		Metadata struct {
			ResourceVersion    string `json:"resourceVersion"`
			Continue           string `json:"continue"`
			RemainingItemCount *int64 `json:"remainingItemCount"`
		} `json:"metadata"`
		Items []json.RawMessage `json:"items"`
	}
	err = s.ask(ctx, client.Request{
		Method: http.MethodGet, Path: client.Key{Kind: kind, Namespace: opts.Namespace}.Path(), Query: query,
	}, &answer)
	if err != nil {
		return page, err
	}
	if page.ResourceVersion, err = parseVersion(answer.Metadata.ResourceVersion); err != nil {
		return page, fmt.Errorf("read the server's answer: %w", err)
	}
	switch page.Continue = answer.Metadata.Continue; {
	case page.Continue == "":
	case answer.Metadata.RemainingItemCount != nil:
		page.Remaining = *answer.Metadata.RemainingItemCount
	default:
		page.Remaining = -1
	}
	page.Items = make([]store.Record, 0, len(answer.Items))
	for _, item := range answer.Items {
		record, h, err := recordOf(kind, item)
		if err != nil {
			return page, err
		}
		if each != nil {
			each(h)
		}
		page.Items = append(page.Items, record)
	}
	return page, nil
}

// maxAnswer bounds an answer that is no watch, as that of api/client.
const maxAnswer = 1 << 30

// ask sends a request that reads and decodes the answer.
func (s *Store) ask(ctx context.Context, r client.Request, answer any) error {
	bounded, end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	response, err := s.client.Do(bounded, r)
	if err != nil {
		return s.failed(ctx, err, false)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(answer); err != nil {
		return s.failed(ctx, fmt.Errorf("read the server's answer: %w", err), false)
	}
	return nil
}

func listQuery(kind v1.Kind, opts store.ListOptions) (url.Values, error) {
	query := url.Values{}
	if opts.Limit > 0 {
		query.Set("limit", strconv.Itoa(opts.Limit))
	}
	if opts.Continue != "" {
		query.Set("continue", opts.Continue)
	}
	switch opts.Order {
	case store.ByName:
	case store.NewestFirst:
		query.Set("order", "newestFirst")
	case store.OldestFirst:
		query.Set("order", "oldestFirst")
	default:
		return nil, fmt.Errorf("%w: unknown order %d", store.ErrInvalid, opts.Order)
	}
	if opts.Labels != nil && !opts.Labels.Empty() {
		query.Set("labelSelector", opts.Labels.String())
	}
	var fields []string
	if opts.Name != "" {
		fields = append(fields, "metadata.name="+opts.Name)
	}
	if opts.Namespace != "" && !kind.Namespaced { // which selects nothing
		fields = append(fields, "metadata.namespace="+opts.Namespace)
	}
	if len(opts.Phases) > 0 {
		for _, phase := range append(v1.JobPhases(), "") { // the server knows one phase, or none of several
			if !slices.Contains(opts.Phases, phase) {
				fields = append(fields, "status.phase!="+string(phase))
			}
		}
	}
	if len(fields) > 0 {
		query.Set("fieldSelector", strings.Join(fields, ","))
	}
	return query, nil
}

// countPage is how many objects are read at once to be counted.
const countPage = 500

// Count implements store.Store. It reads every object of the kind.
func (s *Store) Count(ctx context.Context, name string) ([]store.Count, error) {
	kind, err := s.kindOf(name, store.ErrInvalid)
	if err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	counted := map[store.Count]int{}
	opts := store.ListOptions{Kind: name, Limit: countPage}
	for {
		page, err := s.list(ctx, kind, opts, func(h header) {
			counted[store.Count{Namespace: h.Metadata.Namespace, Type: h.Spec.Type, Phase: h.Status.Phase}]++
		})
		if err != nil {
			return nil, fmt.Errorf("count %s: %w", name, err)
		}
		if opts.Continue = page.Continue; opts.Continue == "" {
			break
		}
	}
	counts := make([]store.Count, 0, len(counted))
	for c, n := range counted {
		c.N = n
		counts = append(counts, c)
	}
	return counts, nil
}

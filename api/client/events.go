package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/api/core"
)

// EventOptions select events; an empty field selects all.
type EventOptions struct {
	Namespace string
	Job       string
	UID       types.UID
	Type      string // Normal or Warning
	// Limit is the most events that Events returns, the newest; 0: all.
	Limit int
	// ResourceVersion is where WatchEvents goes on: a list's or an event's.
	ResourceVersion string
}

func (o EventOptions) query() url.Values {
	query := url.Values{}
	var selectors []fields.Selector
	for _, wanted := range [][2]string{{"involvedObject.name", o.Job}, {"involvedObject.uid", string(o.UID)}, {"type", o.Type}} {
		if wanted[1] != "" {
			selectors = append(selectors, fields.OneTermEqualSelector(wanted[0], wanted[1]))
		}
	}
	if len(selectors) > 0 {
		query.Set("fieldSelector", fields.AndSelectors(selectors...).String())
	}
	return query
}

func (o EventOptions) path() []string {
	if o.Namespace == "" {
		return []string{"api", core.Version, core.ResourceEvents}
	}
	return []string{"api", core.Version, "namespaces", o.Namespace, core.ResourceEvents}
}

// Events reads the events of jobs, the newest first. If Limit has left out older events,
// the list's Continue is set.
func (c *Client) Events(ctx context.Context, opts EventOptions) (core.EventList, error) {
	var all core.EventList
	query := opts.query()
	for {
		if opts.Limit > 0 {
			query.Set("limit", strconv.Itoa(opts.Limit-len(all.Items)))
		}
		page, err := c.eventPage(ctx, opts, query)
		if err != nil {
			return core.EventList{}, err
		}
		page.Items = append(all.Items, page.Items...)
		all = page
		if page.Continue == "" || opts.Limit > 0 && len(all.Items) >= opts.Limit {
			return all, nil
		}
		query.Set("continue", page.Continue)
	}
}

func (c *Client) eventPage(ctx context.Context, opts EventOptions, query url.Values) (core.EventList, error) {
	response, err := c.do(ctx, http.MethodGet, opts.path(), query, nil, "")
	if err != nil {
		return core.EventList{}, err
	}
	defer response.Body.Close()
	var page core.EventList
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&page); err != nil {
		return core.EventList{}, fmt.Errorf("list events: %w", err)
	}
	return page, nil
}

// WatchEvents delivers events until ctx ends or the caller stops: those after
// opts.ResourceVersion, or without one the existing events and then the new ones. It
// reconnects after a lost connection. If the server no longer has the version, delivery
// continues with the events that are later than the last one delivered. Only the last pair
// may carry an error.
func (c *Client) WatchEvents(ctx context.Context, opts EventOptions) iter.Seq2[core.Event, error] {
	return func(yield func(core.Event, error) bool) {
		var last time.Time
		deliver := func(e core.Event) bool {
			last = e.EventTime.Time
			return yield(e, nil)
		}
		for failures := 0; ; {
			stopped, err := c.watchEventsOnce(ctx, &opts, func(e core.Event) bool {
				failures = 0
				return deliver(e)
			})
			if isExpired(err) {
				stopped, err = c.catchUp(ctx, &opts, last, deliver)
			}
			if stopped {
				return
			}
			failures++
			if !again(ctx, err, failures) {
				yield(core.Event{}, err)
				return
			}
		}
	}
}

// catchUp delivers the existing events that are later than last, unless nothing was
// delivered yet, and moves the watch behind them.
func (c *Client) catchUp(ctx context.Context, opts *EventOptions, last time.Time, deliver func(core.Event) bool) (stopped bool, err error) {
	list, err := c.Events(ctx, *opts)
	if err != nil {
		return false, err
	}
	opts.ResourceVersion = list.ResourceVersion
	for _, e := range slices.Backward(list.Items) {
		if !last.IsZero() && e.EventTime.After(last) && !deliver(e) {
			return true, nil
		}
	}
	return false, nil
}

func (c *Client) watchEventsOnce(ctx context.Context, opts *EventOptions, yield func(core.Event) bool) (stopped bool, err error) {
	query := opts.query()
	query.Set("watch", "true")
	if opts.ResourceVersion != "" {
		query.Set("resourceVersion", opts.ResourceVersion)
	}
	response, err := c.do(ctx, http.MethodGet, opts.path(), query, nil, "")
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(response.Body)
	for {
		var line struct {
			Type   string          `json:"type"`
			Object json.RawMessage `json:"object"`
		}
		if err := decoder.Decode(&line); err != nil {
			return false, broken(err)
		}
		if line.Type == "ERROR" {
			var status metav1.Status
			if err := json.Unmarshal(line.Object, &status); err != nil {
				return false, fmt.Errorf("watch events: %w", err)
			}
			return false, &StatusError{Status: status}
		}
		var event core.Event
		if err := json.Unmarshal(line.Object, &event); err != nil {
			return false, fmt.Errorf("watch events: %w", err)
		}
		opts.ResourceVersion = event.ResourceVersion
		if line.Type != "BOOKMARK" && !yield(event) {
			return true, nil
		}
	}
}

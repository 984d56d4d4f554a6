package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"jobwright.dev/api/server/eventview"
	"jobwright.dev/api/server/public"
	"jobwright.dev/store"
	"jobwright.dev/store/events"
)

// watchEvents streams events, each as ADDED; a repeated event is sent again under a new
// name. Without a resourceVersion the stream begins with the events of a list, the oldest
// first.
func (s *Server) watchEvents(w http.ResponseWriter, r *request) error {
	filter, _, form, err := s.eventQuery(r)
	if err != nil {
		return err
	}
	ctx, cancel, err := watchContext(r)
	if err != nil {
		return err
	}
	defer cancel()
	stream := &eventStream{w: w, flusher: http.NewResponseController(w)}
	if s.opts.Events == nil {
		stream.begin()
		stream.flush()
		<-ctx.Done()
		return nil
	}
	filter.Before = 0
	var since uint64
	if version := r.params().Get("resourceVersion"); version != "" && version != "0" {
		if since, err = strconv.ParseUint(version, 10, 64); err != nil {
			return apierrors.NewBadRequest("resourceVersion must be a number, not " + public.Quote(version))
		}
		stream.begin()
	} else {
		page, err := s.opts.Events.List(ctx, filter)
		if err != nil {
			return err
		}
		slices.Reverse(page.Events)
		since = page.Seq
		stream.begin()
		if sendEvents(stream, page.Events, &form) != nil {
			return nil // the client is gone
		}
	}
	follower := s.opts.Events.Follow(since, filter)
	for err == nil {
		stream.flush()
		var batch []events.Event
		if batch, err = follower.Next(ctx); err == nil {
			err = sendEvents(stream, batch, &form)
		}
	}
	if ctx.Err() == nil && !errors.Is(err, store.ErrClosed) {
		stream.fail(s.public.Status(statusOf(err, r.route.Kind, "")))
	}
	return nil
}

// sendEvents writes a line for each event, in the negotiated form.
func sendEvents(stream *eventStream, batch []events.Event, form *eventview.Form) error {
	stream.buf = stream.buf[:0]
	for i := range batch {
		var object any = eventview.Of(&batch[i])
		if form.Table {
			object = form.One(eventview.Of(&batch[i]))
		}
		line, err := json.Marshal(struct {
			Type   store.EventType `json:"type"`
			Object any             `json:"object"`
		}{store.Added, object})
		if err != nil {
			return err
		}
		stream.buf = append(append(stream.buf, line...), '\n')
	}
	_, err := stream.w.Write(stream.buf)
	return err
}

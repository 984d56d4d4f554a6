package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"jobwright.dev/api/server/public"
	"jobwright.dev/store"
	"jobwright.dev/store/logs"
)

// log serves a job's log.
//
//	tailLines=N     only the last N lines
//	sinceOffset=N   only what follows the entry with that offset
//	follow=true     go on until the job has finished
//	timestamps=true each line begins with its time
//	limitBytes=N    end after about that many bytes
//
// The answer is text, or with Accept: application/x-ndjson one JSON value
// {offset,time,stream,text} a line and {end} on the last line: Finished or Deleted with
// follow, Read without, Limit at limitBytes. A client repeats the request, from the last
// offset, when {end} is missing or a text answer breaks off: the server was stopped, or
// could not tell whether the job has ended.
func (s *Server) log(w http.ResponseWriter, r *request) error {
	record, err := s.opts.Store.Get(r.Context(), r.key())
	if err != nil {
		return err
	}
	opts, err := logOptions(r.params())
	if err != nil {
		return err
	}
	key := record.Key()
	reader := s.opts.Logs.Open(logs.Ref{Workspace: key.Namespace, Job: key.Name, UID: record.UID()})
	defer reader.Close()
	if opts.tail >= 0 {
		err = reader.Tail(r.Context(), opts.tail)
	} else {
		err = reader.From(r.Context(), opts.since)
	}
	if err != nil {
		return err
	}
	out := &logStream{w: w, limit: opts.limit, timestamps: opts.timestamps, json: strings.Contains(r.Header.Get("Accept"), "application/x-ndjson")}
	out.begin()
	end, err := s.copyLog(r.Context(), record, reader, out, opts.follow)
	if err == nil {
		err = out.end(end)
	}
	if err != nil {
		if r.Context().Err() == nil {
			s.opts.Log.Error(err, "a log stream broke off", "job", key.String())
		}
		panic(http.ErrAbortHandler) // nobody may take it for the end
	}
	return nil
}

// streamEnd is why a log stream ends.
type streamEnd string

const (
	endFinished streamEnd = "Finished" // the job has ended, and everything was sent
	endDeleted  streamEnd = "Deleted"  // the job is gone, and everything was sent
	endRead     streamEnd = "Read"     // everything that there was, without follow
	endLimit    streamEnd = "Limit"    // limitBytes was reached
)

// copyLog writes the stored entries, and with follow the new ones, until the job is
// terminal and every entry was written.
func (s *Server) copyLog(ctx context.Context, record store.Record, reader logs.Reader, out *logStream, follow bool) (streamEnd, error) {
	end := endRead
	if follow {
		var err error
		if end, err = s.followLog(ctx, record, reader, out); err != nil || end == endLimit {
			return end, err
		}
	}
	for {
		entries, err := reader.Read(ctx)
		if err != nil || len(entries) == 0 {
			return end, err
		}
		full, err := out.send(entries)
		if err != nil {
			return "", err
		}
		if full {
			return endLimit, nil
		}
	}
}

// followLog writes new entries until the job is terminal or deleted. Entries that it has
// not written are still before the reader.
func (s *Server) followLog(ctx context.Context, record store.Record, reader logs.Reader, out *logStream) (streamEnd, error) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	type ended struct {
		end streamEnd
		err error
	}
	job := make(chan ended, 1)
	go func() {
		defer stop()
		end, err := s.untilTerminal(running, record)
		job <- ended{end, err}
	}()
	for {
		entries, err := reader.Next(running)
		if err != nil && running.Err() != nil { // only with an error: entries in hand lie behind the reader's offset
			e := <-job
			return e.end, e.err
		}
		if err != nil {
			return "", err
		}
		full, err := out.send(entries)
		if err != nil {
			return "", err
		}
		if full {
			return endLimit, nil
		}
	}
}

// untilTerminal waits until the job is terminal or deleted. While the store is unavailable
// it retries, with growing pauses; after a watch that has expired it does the same.
func (s *Server) untilTerminal(ctx context.Context, record store.Record) (streamEnd, error) {
	var patience patience
	for {
		end, err := s.watchTerminal(ctx, record, &patience)
		if end != "" {
			return end, nil
		}
		if !patience.afresh(ctx, err) {
			return "", err
		}
	}
}

// watchTerminal reads the job and watches it until it is terminal or deleted. The end is
// empty when the watch fails first.
func (s *Server) watchTerminal(ctx context.Context, record store.Record, patience *patience) (streamEnd, error) {
	key := record.Key()
	page, err := s.opts.Store.List(ctx, store.ListOptions{Kind: key.Kind, Namespace: key.Namespace, Name: key.Name})
	switch {
	case err != nil:
		return "", err
	case len(page.Items) == 0 || page.Items[0].UID() != record.UID():
		return endDeleted, nil
	case terminal(page.Items[0]):
		return endFinished, nil
	}
	watch, err := s.opts.Store.Watch(ctx, store.WatchOptions{Kind: key.Kind, Namespace: key.Namespace, Name: key.Name, Since: page.ResourceVersion})
	if err != nil {
		return "", err
	}
	defer watch.Close()
	for {
		events, err := watch.Next(ctx)
		if err != nil {
			return "", err
		}
		patience.answered()
		for _, event := range events {
			switch {
			case event.Type == store.Deleted:
				return endDeleted, nil
			case terminal(event.Record):
				return endFinished, nil
			}
		}
	}
}

func terminal(record store.Record) bool {
	finished, err := record.Finished()
	return err != nil || finished
}

type logQuery struct {
	tail       int // -1: everything
	since      int64
	limit      int64 // 0: none
	follow     bool
	timestamps bool
}

func logOptions(query url.Values) (logQuery, error) {
	opts := logQuery{tail: -1}
	for name, into := range map[string]*int64{"sinceOffset": &opts.since, "limitBytes": &opts.limit} {
		if err := number(query, name, into); err != nil {
			return opts, err
		}
	}
	if query.Has("tailLines") {
		var tail int64
		if err := number(query, "tailLines", &tail); err != nil {
			return opts, err
		}
		opts.tail = int(min(tail, 1<<30))
	}
	for name, into := range map[string]*bool{"follow": &opts.follow, "timestamps": &opts.timestamps} {
		if text := query.Get(name); text != "" {
			value, err := strconv.ParseBool(text)
			if err != nil {
				return opts, apierrors.NewBadRequest(name + " must be true or false, not " + public.Quote(text))
			}
			*into = value
		}
	}
	return opts, nil
}

func number(query url.Values, name string, into *int64) error {
	text := query.Get(name)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return apierrors.NewBadRequest(name + " must be a number of at least 0, not " + public.Quote(text))
	}
	*into = n
	return nil
}

// logStream writes log entries.
type logStream struct {
	w          http.ResponseWriter
	limit      int64
	sent       int64
	timestamps bool
	json       bool
	buf        []byte
}

func (s *logStream) begin() {
	media := "text/plain; charset=utf-8"
	if s.json {
		media = "application/x-ndjson"
	}
	s.w.Header().Set("Content-Type", media)
	s.w.Header().Set("Cache-Control", "no-store")
	s.w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(s.w).Flush() // the next write tells when the client is gone
}

// end writes the last line of a stream of JSON values; text has none.
func (s *logStream) end(why streamEnd) error {
	if !s.json {
		return nil
	}
	_, err := s.w.Write([]byte(`{"end":"` + string(why) + "\"}\n"))
	return err
}

// send writes entries; full: limitBytes was reached.
func (s *logStream) send(entries []logs.Entry) (full bool, err error) {
	s.buf = s.buf[:0]
	for _, entry := range entries {
		switch {
		case s.json:
			line, err := json.Marshal(entry)
			if err != nil {
				return false, err
			}
			s.buf = append(s.buf, line...)
		case s.timestamps:
			s.buf = entry.Time.AppendFormat(s.buf, "2006-01-02T15:04:05.000000Z ")
			s.buf = append(s.buf, entry.Text...)
		default:
			s.buf = append(s.buf, entry.Text...)
		}
		s.buf = append(s.buf, '\n')
		if s.limit > 0 && s.sent+int64(len(s.buf)) >= s.limit {
			_, err := s.w.Write(s.buf)
			return true, err
		}
	}
	s.sent += int64(len(s.buf))
	if _, err := s.w.Write(s.buf); err != nil {
		return false, err
	}
	return false, http.NewResponseController(s.w).Flush()
}

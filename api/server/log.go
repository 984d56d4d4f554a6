package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/logs"
)

// log serves what a job has printed.
//
//	tailLines=N     only the last N lines
//	sinceOffset=N   only what follows the entry with that offset
//	follow=true     go on until the job has finished
//	timestamps=true each line begins with its time
//	limitBytes=N    end after about that many bytes
//
// The answer is text, or with Accept: application/x-ndjson one JSON value
// {offset,time,stream,text} a line, whose offset continues a broken stream.
func (s *Server) log(w http.ResponseWriter, r *http.Request, kind v1.Kind) error {
	record, err := s.Store.Get(r.Context(), keyOf(r, kind))
	if err != nil {
		return err
	}
	opts, err := logOptions(r.URL.Query())
	if err != nil {
		return err
	}
	key := record.Key()
	reader := s.Logs.Open(logs.Ref{Workspace: key.Namespace, Job: key.Name, UID: record.UID()})
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
	err = s.copyLog(r.Context(), record, reader, out, opts.follow)
	if err != nil && r.Context().Err() == nil && !errors.Is(err, errLimit) {
		s.Log.Error(err, "a log stream broke off", "job", key.String())
	}
	return nil
}

// copyLog writes what the reader has, and with follow what comes, until the job is
// terminal and everything was written.
func (s *Server) copyLog(ctx context.Context, record store.Record, reader logs.Reader, out *logStream, follow bool) error {
	if follow {
		running, stop := context.WithCancel(ctx)
		defer stop()
		go func() {
			defer stop()
			s.untilTerminal(running, record)
		}()
		for {
			entries, err := reader.Next(running)
			if err != nil && running.Err() != nil {
				break // only with an error: entries in hand lie behind the reader's offset
			}
			if err == nil {
				err = out.send(entries)
			}
			if err != nil {
				return err
			}
		}
	}
	for {
		entries, err := reader.Read(ctx)
		if err != nil || len(entries) == 0 {
			return err
		}
		if err := out.send(entries); err != nil {
			return err
		}
	}
}

// untilTerminal returns when the job is terminal or gone, or cannot be watched.
func (s *Server) untilTerminal(ctx context.Context, record store.Record) {
	key := record.Key()
	for {
		page, err := s.Store.List(ctx, store.ListOptions{Kind: key.Kind, Namespace: key.Namespace, Name: key.Name})
		if err != nil || len(page.Items) == 0 || page.Items[0].UID() != record.UID() || terminal(page.Items[0]) {
			return
		}
		watch, err := s.Store.Watch(ctx, store.WatchOptions{Kind: key.Kind, Namespace: key.Namespace, Name: key.Name, Since: page.ResourceVersion})
		if err != nil {
			return
		}
		ended, err := watchTerminal(ctx, watch)
		watch.Close()
		if ended || err != nil && !errors.Is(err, store.ErrExpired) {
			return
		}
	}
}

func watchTerminal(ctx context.Context, watch store.Watch) (bool, error) {
	for {
		events, err := watch.Next(ctx)
		if err != nil {
			return false, err
		}
		for _, event := range events {
			if event.Type == store.Deleted || terminal(event.Record) {
				return true, nil
			}
		}
	}
}

func terminal(record store.Record) bool {
	job, err := record.Job()
	return err != nil || job.Status.Phase.Terminal()
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
				return opts, apierrors.NewBadRequest(name + " must be true or false, not " + quote(text))
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
		return apierrors.NewBadRequest(name + " must be a number of at least 0, not " + quote(text))
	}
	*into = n
	return nil
}

// errLimit ends a stream at limitBytes.
var errLimit = errors.New("limitBytes was reached")

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

func (s *logStream) send(entries []logs.Entry) error {
	s.buf = s.buf[:0]
	for _, entry := range entries {
		switch {
		case s.json:
			line, err := json.Marshal(entry)
			if err != nil {
				return err
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
			_, _ = s.w.Write(s.buf)
			return errLimit
		}
	}
	s.sent += int64(len(s.buf))
	if _, err := s.w.Write(s.buf); err != nil {
		return err
	}
	return http.NewResponseController(s.w).Flush()
}

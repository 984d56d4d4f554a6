package file

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, obj v1.Object) (store.Record, error) {
	record, err := s.update(ctx, obj)
	if err != nil {
		return store.Record{}, fmt.Errorf("update %s: %w", s.nameOf(obj), err)
	}
	return record, nil
}

func (s *Store) update(ctx context.Context, obj v1.Object) (store.Record, error) {
	if err := s.takesWork(ctx); err != nil {
		return store.Record{}, err
	}
	c, err := s.read(obj, scan)
	if err != nil {
		return store.Record{}, err
	}
	var was metav1.ObjectMeta
	if err := v1.DecodeMetadata(c.scanned.metadata.of(c.encoding), &was); err != nil {
		return store.Record{}, fmt.Errorf("decode metadata: %w", err)
	}
	from, err := metaOf(obj)
	if err != nil {
		return store.Record{}, err
	}
	meta := *from
	meta.GenerateName, meta.UID, meta.Generation = was.GenerateName, was.UID, was.Generation
	meta.CreationTimestamp = was.CreationTimestamp
	meta.DeletionTimestamp, meta.DeletionGracePeriodSeconds = was.DeletionTimestamp, was.DeletionGracePeriodSeconds
	if meta.DeletionTimestamp != nil && len(meta.Finalizers) == 0 && len(was.Finalizers) > 0 {
		return s.remove(ctx, c)
	}
	spec, err := specOf(nil, obj)
	if err != nil {
		return store.Record{}, fmt.Errorf("%w: encode spec: %w", store.ErrInvalid, err)
	}
	if before := c.scanned.spec.of(c.encoding); !bytes.Equal(spec, before) && (!isEmpty(spec) || !isEmpty(before)) {
		meta.Generation++
	}
	status, phase := c.scanned.status.of(c.encoding), c.e.class.phase
	if job, ok := obj.(*v1.Job); ok && job.Spec.Reruns > 0 && phase.Terminal() {
		if status, phase, err = rerun(job, status, phase); err != nil {
			return store.Record{}, err
		}
	}
	enc, err := reassemble(c.e.class.kind, &meta, spec, status)
	if err != nil {
		return store.Record{}, fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	if same(enc, c) {
		return c.record(), nil
	}
	if err := s.checkSize(enc); err != nil {
		return store.Record{}, err
	}
	jobType, _ := c.kind.Summary(obj)
	e := &entry{uid: c.e.uid, class: s.intern.class(c.e.class.kind, c.e.class.namespace, jobType, phase), name: c.e.name}
	if e.labels, err = enc.labelSet(s.intern); err != nil {
		return store.Record{}, err
	}
	return s.replace(ctx, c, change{event: modified, e: e}, enc, store.Durable)
}

// rerun is the status with which a finished job starts over when its spec asks for
// another run than the status is about.
func rerun(job *v1.Job, stored []byte, phase v1.JobPhase) ([]byte, v1.JobPhase, error) {
	var was v1.JobStatus
	if err := json.Unmarshal(stored, &was); err != nil {
		return nil, "", fmt.Errorf("decode status: %w", err)
	}
	if job.Spec.Reruns <= was.Reruns {
		return stored, phase, nil
	}
	is := v1.Job{Status: v1.Rerun(was, job.Spec.Reruns, time.Now())}
	status, err := is.AppendStatus(nil)
	return status, is.Status.Phase, err
}

// same reports whether enc equals the encoding of c.
func same(enc encoding, c current) bool {
	at := c.scanned.rvAt
	return bytes.Equal(enc.head(), c.encoding[:at.start]) && bytes.Equal(enc.tail(), c.encoding[at.end:])
}

// UpdateStatus implements store.Store.
func (s *Store) UpdateStatus(ctx context.Context, obj v1.Object, d store.Durability) (store.Record, error) {
	record, err := s.updateStatus(ctx, obj, d)
	if err != nil {
		return store.Record{}, fmt.Errorf("update the status of %s: %w", s.nameOf(obj), err)
	}
	return record, nil
}

func (s *Store) updateStatus(ctx context.Context, obj v1.Object, d store.Durability) (store.Record, error) {
	if err := s.takesWrites(ctx); err != nil {
		return store.Record{}, err
	}
	c, err := s.read(obj, scanStatus)
	if err != nil {
		return store.Record{}, err
	}
	enc, err := c.withStatusOf(obj)
	if err != nil {
		return store.Record{}, fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	if same(enc, c) {
		return c.record(), nil
	}
	if err := s.checkSize(enc); err != nil {
		return store.Record{}, err
	}
	_, phase := c.kind.Summary(obj)
	e := &entry{
		uid: c.e.uid, name: c.e.name, labels: c.e.labels,
		class: s.intern.class(c.e.class.kind, c.e.class.namespace, c.e.class.jobType, phase),
	}
	return s.replace(ctx, c, change{event: modified, e: e}, enc, d)
}

// withStatusOf is the encoding of c with the status of obj.
func (c current) withStatusOf(obj v1.Object) (encoding, error) {
	rv, end := c.scanned.rvAt, len(c.encoding)-1
	if status := c.scanned.status; !status.empty() {
		end = status.start - len(`,"status":`)
	}
	enc := newEncoding()
	*enc.buf = append(*enc.buf, c.encoding[:rv.start]...)
	enc.cut = rv.start
	*enc.buf = append(*enc.buf, c.encoding[rv.end:end]...)
	err := enc.part("status", func(b []byte) ([]byte, error) { return statusOf(b, c.kind, obj) })
	*enc.buf = append(*enc.buf, '}')
	return enc, err
}

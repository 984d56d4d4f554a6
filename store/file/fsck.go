package file

import (
	"errors"
	"fmt"
	"path/filepath"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store/journal"
	"jobwright.dev/store/vfs"
)

// FsckRecord is one record of the journal, explained.
type FsckRecord struct {
	journal.Position
	Sequence uint64 `json:"sequence"`
	// Operation is "put" or "delete".
	Operation string `json:"operation"`
	// Object is the key, as in "job acme/x".
	Object          string `json:"object"`
	ResourceVersion uint64 `json:"resourceVersion"`
	Bytes           int    `json:"bytes"`
}

// FsckReport is the result of a check.
type FsckReport struct {
	// Snapshot tells whether there is a jobs.json.
	Snapshot bool `json:"snapshot"`
	// Edit is how jobs.json differs from what was written, when every object in it is
	// valid; nil: not at all.
	Edit            *Edit  `json:"edit,omitempty"`
	Objects         int    `json:"objects"`
	ResourceVersion uint64 `json:"resourceVersion"`
	// Segments, Blocks, Records and Bytes are of the journal: what is newer than
	// jobs.json.
	Segments []uint64 `json:"segments"`
	Blocks   int64    `json:"blocks"`
	Records  int64    `json:"records"`
	Bytes    int64    `json:"bytes"`
	// Clean: the store was closed in order.
	Clean bool `json:"clean"`
	// Cut is a torn end, which the next opening cuts.
	Cut *journal.Cut `json:"cut,omitempty"`
}

// FsckOptions configure Fsck.
type FsckOptions struct {
	// Admit validates an object of a jobs.json that was edited by hand. Unset: every
	// object of a known kind is admitted.
	Admit func(v1.Object) error
	// FS is the filesystem. Unset: the operating system's.
	FS vfs.FS
	// Kinds are those that the store keeps. Unset: v1.Kinds().
	Kinds v1.KindSet
}

// Fsck reads a store that no process has open, and checks everything in it; it changes
// nothing. each, which may be nil, gets every record of the journal. The error is
// damage, wrapping store.ErrCorrupt, or what kept the check from reading; a valid
// jobs.json that was edited is no damage, and the report's Edit tells of it.
func Fsck(dir string, opts FsckOptions, each func(FsckRecord)) (FsckReport, error) {
	if opts.FS == nil {
		opts.FS = vfs.OS{}
	}
	if opts.Kinds == nil {
		opts.Kinds = v1.Kinds()
	}
	var report FsckReport
	var err error
	if report.Snapshot, err = exists(opts.FS, filepath.Join(dir, snapshotName)); err != nil {
		return report, fmt.Errorf("fsck %s: %w", dir, err)
	}
	m, state, err := reading{fsys: opts.FS, kinds: opts.Kinds, admit: opts.Admit, acceptEdited: true, each: func(r journal.Record) {
		if each != nil {
			each(explain(r))
		}
	}}.image(dir)
	if err != nil {
		return report, fmt.Errorf("fsck %s: %w", dir, err)
	}
	for _, k := range m.index.kinds {
		report.Objects += k.byKey.Len()
	}
	report.ResourceVersion, report.Edit = m.visible, m.edit
	report.Segments, report.Blocks, report.Records, report.Bytes = state.Segments, state.Blocks, state.Records, state.Bytes
	report.Clean, report.Cut = state.Clean, state.Cut
	return report, errors.Join(m.checkEncodings(), m.release())
}

// explain describes a record.
func explain(r journal.Record) FsckRecord {
	x := FsckRecord{Position: r.Position, Sequence: r.Sequence, Bytes: len(r.Payload), Operation: "unknown"}
	if len(r.Payload) == 0 {
		return x
	}
	switch body := r.Payload[1:]; r.Payload[0] {
	case opPut:
		x.Operation = "put"
		if f, err := scan(body); err == nil {
			x.Object = (&entry{class: &class{kind: string(f.kind), namespace: string(f.namespace)}, name: string(f.name)}).key().String()
			x.ResourceVersion = f.rv
		}
	case opDelete:
		x.Operation = "delete"
		if key, rv, ok := parseDeletion(body); ok {
			x.Object, x.ResourceVersion = key.String(), rv
		}
	}
	return x
}

// checkEncodings decodes every object.
func (m *image) checkEncodings() error {
	set := m.sources.acquire()
	defer m.sources.release(set)
	ahead := &readAhead{sources: m.sources, set: set}
	var errs []error
	for _, k := range m.index.kinds {
		for e := range k.byKey.All() {
			encoding, err := ahead.read(e)
			if err == nil {
				_, err = e.record(encoding).Object(m.kinds)
			}
			if err != nil && len(errs) < 100 {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"jobwright.dev/store"
	"jobwright.dev/store/journal"
)

// recover reads jobs.json and the journal, and makes the store ready.
func (s *Store) recover() (edited bool, err error) {
	loaded, err := s.load()
	if err != nil {
		return false, err
	}
	snapshotVersion, overridden := s.visible, 0
	state, err := journal.Scan(s.fsys, s.journalDir(), loaded.from, func(r journal.Record) error {
		applied, err := s.replay(r)
		if applied {
			overridden++
		}
		return err
	})
	if err != nil {
		return false, err
	}
	if err := s.belongs(loaded, state, snapshotVersion); err != nil {
		return false, err
	}
	if err := s.accepts(loaded.edit, filepath.Join(s.dir, snapshotName)); err != nil {
		return false, err
	}
	if cut := state.Cut; cut != nil {
		s.log.Info("The journal ends with a commit that was never acknowledged; it is cut off",
			"file", cut.File, "offset", cut.Offset, "cause", cut.Cause)
	}
	s.version = max(s.visible, state.Base)
	if !state.Clean {
		s.version += maxSoft
	}
	gapLow := s.visible
	if loaded.edit != nil {
		s.log.Info("jobs.json was edited while the store was closed; it is valid and was taken over, as was asked for", "fromOffset", loaded.edit.Offset, "cause", loaded.edit.Cause)
		if overridden > 0 {
			s.log.Info("jobs.json was edited, but the journal held newer changes of some objects; those stand", "changes", overridden)
		}
		s.renumber()
		gapLow = s.visible // versions before are older than what is remembered anyway
	}
	s.events.Begin(s.visible, gapLow, s.version+1)
	s.index.buildOrders()
	if s.journal, err = state.Start(s.version, journal.Options{SegmentSize: s.opts.SegmentSize}); err != nil {
		return false, err
	}
	if err := s.fsys.SyncDir(s.dir); err != nil {
		return false, errors.Join(err, s.journal.Close())
	}
	s.checkpoints.size = loaded.size
	if state.Records == 0 {
		// A new journal, or one that says nothing that jobs.json does not.
		s.checkpoints.covered = s.journal.Written()
	} else {
		s.checkpoints.wrote(s)
	}
	s.log.V(1).Info("Opened the store", "dir", s.dir, "resourceVersion", s.visible,
		"seconds", time.Since(s.opened).Seconds(), "journalRecords", state.Records)
	return loaded.edit != nil, nil
}

// belongs answers why jobs.json, which ends at snapshotVersion, is not that of the journal.
func (m *image) belongs(l loaded, state *journal.State, snapshotVersion uint64) error {
	path := filepath.Join(m.dir, snapshotName)
	switch {
	case l.from.Segment == 0 && len(state.Segments) > 0 && state.FirstBase < snapshotVersion:
		return &journal.Corrupt{
			File: path, Cause: "a backup lies beside the journal of another store",
			Advice: "restore the backup to a new folder (jobwright restore), or put back the jobs.json that belongs here",
		}
	case !l.found && state.FirstBase > 0:
		return &journal.Corrupt{
			File: path, Cause: "the file is missing, but the journal began as the continuation of one",
			Advice: "put it back, or restore the latest backup",
		}
	}
	return nil
}

// replay applies one record of the journal; applied is false when jobs.json has it.
func (m *image) replay(r journal.Record) (applied bool, err error) { return m.replayUntil(r, 0) }

// replayUntil is replay that leaves out what comes after a version; 0: nothing.
func (m *image) replayUntil(r journal.Record, until uint64) (applied bool, err error) {
	if len(r.Payload) == 0 {
		return false, m.badRecord(r, errors.New("it is empty"))
	}
	switch body := r.Payload[1:]; r.Payload[0] {
	case opPut:
		e, err := m.entryOf(body)
		if err != nil {
			return false, m.badRecord(r, err)
		}
		if until != 0 && e.rv > until {
			return false, nil
		}
		m.visible = max(m.visible, e.rv)
		if old := m.index.get(e.class.kind, objectKey{e.class.namespace, e.name}); old != nil && old.rv >= e.rv {
			return false, nil
		}
		src, err := m.sources.add(filepath.Join(m.journalDir(), journal.SegmentName(r.Segment)), r.Segment)
		if err != nil {
			return false, err
		}
		e.moveTo(src.id, r.Offset+1)
		m.index.load(e)
		return true, nil
	case opDelete:
		key, rv, ok := parseDeletion(body)
		if !ok {
			return false, m.badRecord(r, errors.New("a deletion that names no object"))
		}
		if until != 0 && rv > until {
			return false, nil
		}
		m.visible = max(m.visible, rv)
		old := m.index.get(key.Kind, objectKey{key.Namespace, key.Name})
		if old == nil || old.rv >= rv {
			return false, nil
		}
		m.index.unload(old)
		return true, nil
	default:
		return false, m.badRecord(r, fmt.Errorf("its operation %q is unknown; a newer version of jobwright may have written it", r.Payload[0]))
	}
}

// parseDeletion reads the body of a delete record.
func parseDeletion(body []byte) (key store.Key, rv uint64, ok bool) {
	if len(body) < 8 {
		return key, 0, false
	}
	parts := bytes.Split(body[8:], []byte{0})
	if len(parts) != 4 {
		return key, 0, false
	}
	return store.Key{Kind: string(parts[0]), Namespace: string(parts[1]), Name: string(parts[2])}, binary.LittleEndian.Uint64(body), true
}

func (m *image) badRecord(r journal.Record, cause error) error {
	return &journal.Corrupt{
		File: filepath.Join(m.journalDir(), journal.SegmentName(r.Segment)), Offset: r.Offset,
		Cause:  fmt.Sprintf("a record that is whole and makes no sense: %v", cause),
		Advice: "start the version that wrote it, or restore the latest backup",
	}
}

// entryOf makes the entry of an encoding; where that lies is for the caller to say.
func (m *image) entryOf(encoding []byte) (*entry, error) {
	f, err := scan(encoding)
	if err != nil {
		return nil, err
	}
	if m.index.kinds[string(f.kind)] == nil {
		return nil, fmt.Errorf("unknown kind %q", f.kind)
	}
	id, err := uuid.ParseBytes(f.uid)
	if err != nil {
		return nil, fmt.Errorf("metadata.uid: %w", err)
	}
	e := &entry{
		uid: id, rv: f.rv, name: strings.Clone(string(f.name)),
		class: m.intern.classOf(f.kind, f.namespace, f.jobType, f.phase),
		size:  uint32(len(encoding)), sum: journal.Checksum(encoding),
	}
	m.uids.seen(id, m.opened)
	e.labels, err = m.intern.labelSet(f.labels)
	return e, err
}

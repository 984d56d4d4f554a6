// Package spool keeps, on this machine's disk, what attempts came to while the store could
// not take it: a server that is stopped meanwhile tells the store at its next start.
//
// # Invariants
//
//  1. What Keep has returned for survives a crash of the process and of the machine: the
//     file is synced, renamed into place, and its folder synced. A file is whole or absent.
//  2. There are at most maxFiles files of at most MaxBytes each. Beyond that Keep answers
//     an error and changes nothing.
//  3. A file that cannot be read is left where it is, and the rest is used without it.
package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/store/filedb"
)

const (
	// maxFiles is far more than the attempts that run at once; only servers that are
	// started and stopped again and again while the store is away come near it.
	maxFiles = 10_000
	// MaxBytes is twice what an object in the store may have.
	MaxBytes = 3 << 20
)

// Outcome is the outcome of an attempt, with its job.
type Outcome struct {
	Namespace string         `json:"namespace"`
	Job       string         `json:"job"`
	UID       types.UID      `json:"uid"`
	Attempt   string         `json:"attempt"`
	Outcome   action.Outcome `json:"outcome"`
	// Status is the status that was to be written, where that may have happened without
	// an answer; nil: it has not happened.
	Status *v1.JobStatus `json:"status,omitempty"`
}

// Spool is a folder of outcomes. It is safe for concurrent use.
type Spool struct {
	dir string

	mu   sync.Mutex
	kept map[string]Outcome // by attempt
}

// Open reads what is kept in dir, which is made when it is missing. The second value says
// which files cannot be read; they are passed over.
func Open(dir string) (*Spool, []error, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("open the spool of outcomes: %w", err)
	}
	if err := filedb.Sweep(dir); err != nil { // of a Keep that did not return
		return nil, nil, fmt.Errorf("open the spool of outcomes: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("open the spool of outcomes: %w", err)
	}
	s := &Spool{dir: dir, kept: map[string]Outcome{}}
	var unread []error
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		switch {
		case len(s.kept) == maxFiles:
			unread = append(unread, fmt.Errorf("read outcome %s: there are more than %d", entry.Name(), maxFiles))
		default:
			o, err := read(path)
			if err != nil {
				unread = append(unread, fmt.Errorf("read outcome %s: %w", entry.Name(), err))
				continue
			}
			s.kept[o.Attempt] = o
		}
	}
	return s, unread, nil
}

func read(path string) (o Outcome, err error) {
	file, err := os.Open(path)
	if err != nil {
		return o, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	if err != nil {
		return o, err
	}
	if len(data) > MaxBytes {
		return o, fmt.Errorf("it is larger than %d bytes", MaxBytes)
	}
	if err := json.Unmarshal(data, &o); err != nil {
		return o, err
	}
	o.Outcome.Facts = withEarlier(o.Outcome.Facts, data)
	if name, err := fileName(o.Attempt); err != nil || name != filepath.Base(path) {
		return o, fmt.Errorf("it is about attempt %q", o.Attempt)
	}
	return o, nil
}

// All is everything that is kept.
func (s *Spool) All() []Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Outcome, 0, len(s.kept))
	for _, o := range s.kept {
		all = append(all, o)
	}
	return all
}

// Get returns the outcome kept for the attempt; false: none is.
func (s *Spool) Get(attempt string) (Outcome, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.kept[attempt]
	return o, ok
}

// Keep stores the outcome of an attempt, in place of an earlier one.
func (s *Spool) Keep(o Outcome) error {
	name, err := fileName(o.Attempt)
	if err != nil {
		return err
	}
	data, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("keep the outcome of attempt %s: %w", o.Attempt, err)
	}
	if len(data) > MaxBytes {
		return fmt.Errorf("keep the outcome of attempt %s: it has %d bytes, at most %d are kept", o.Attempt, len(data), MaxBytes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.kept[o.Attempt]; !again && len(s.kept) >= maxFiles {
		return fmt.Errorf("keep the outcome of attempt %s: %d are kept already", o.Attempt, len(s.kept))
	}
	if err := filedb.WriteBytes(filepath.Join(s.dir, name), data); err != nil {
		return fmt.Errorf("keep the outcome of attempt %s: %w", o.Attempt, err)
	}
	s.kept[o.Attempt] = o
	return nil
}

// Remove forgets an attempt's outcome: the store has it. It is no error when nothing is
// kept.
func (s *Spool) Remove(attempt string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.kept[attempt]; !ok {
		return nil
	}
	name, err := fileName(attempt)
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forget the outcome of attempt %s: %w", attempt, err)
	}
	delete(s.kept, attempt)
	return nil
}

// fileName is where an attempt's outcome stands. An attempt's id comes from the store, where
// a file edited by hand may have anything.
func fileName(attempt string) (string, error) {
	if attempt == "" || len(attempt) > 200 || strings.ContainsAny(attempt, "/\\.\x00") {
		return "", fmt.Errorf("keep the outcome of attempt %q: its id cannot be the name of a file", attempt)
	}
	return attempt + ".json", nil
}

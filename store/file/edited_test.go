package file_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/storetest"
	"jobwright.dev/store/vfs/vfstest"
)

const (
	snapshotFile = dataDir + "/jobs.json"
	journalFile  = dataDir + "/journal/00000000000000000001.journal"
)

// closedDisk is a disk with a store of two jobs and a workspace that was closed.
func closedDisk(t *testing.T) *vfstest.Disk {
	t.Helper()
	d := vfstest.NewDisk()
	s, err := openOn(d)
	if err != nil {
		t.Fatal(err)
	}
	ws := &v1.Workspace{}
	ws.Kind, ws.Name = v1.KindWorkspace, "acme"
	if _, err := s.Create(t.Context(), benchJob("a"), benchJob("b"), ws); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return d
}

func replace(text, by string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.Replace(b, []byte(text), []byte(by), 1) }
}

func TestAnEditedFileIsTakenOverOrRefusedWithLineAndColumn(t *testing.T) {
	tests := map[string]struct {
		edit func([]byte) []byte
		// refused is what the error says; empty: it is taken over, and check looks at it.
		refused string
		check   func(t *testing.T, s *file.Store)
	}{
		"a changed value": {edit: replace(`"nextjs-api-route"`, `"quota-check-lib"`), check: func(t *testing.T, s *file.Store) {
			r, err := s.Get(t.Context(), store.Key{Kind: "Job", Namespace: "acme", Name: "a"})
			if err != nil {
				t.Fatal(err)
			}
			if j, err := r.Job(); err != nil || j.Spec.Build.ID != "quota-check-lib" || r.ResourceVersion() <= 3 {
				t.Errorf("got %s at version %d, %v", j.Spec.Build.ID, r.ResourceVersion(), err)
			}
		}},
		"another layout": {edit: replace(`"items":[`, "\"items\": [\n\n  "), check: wantJobs(2)},
		"an object less": {edit: func(b []byte) []byte {
			lines := bytes.SplitAfter(b, []byte("\n"))
			return bytes.Join([][]byte{lines[0], lines[1], bytes.TrimSuffix(lines[2], []byte(",\n")), []byte("\n"), lines[4]}, nil)
		}, check: wantJobs(1)},
		"a new object without uid and version": {edit: replace("\n]", `,
{"apiVersion":"jobwright.dev/v1","kind":"Job","metadata":{"name":"new","namespace":"acme"},"spec":{"type":"api_call"}}
]`), check: wantJobs(3)},
		"not JSON":                    {edit: replace(`"name":"b"`, `"name":"b`), refused: "line 4, column "},
		"an unknown field":            {edit: replace(`"createdBy"`, `"createdBi"`), refused: `line 3, column `},
		"a value of wrong type":       {edit: replace(`"observedGeneration":1`, `"observedGeneration":"x"`), refused: "line 3, column "},
		"an unknown kind":             {edit: replace(`"kind":"Workspace"`, `"kind":"Workshop"`), refused: "line 2, column 1"},
		"a name that is there":        {edit: replace(`"name":"b"`, `"name":"a"`), refused: "line 4, column 1: job acme/a is there twice"},
		"no list":                     {edit: replace(`"kind":"List"`, `"kind":"Last"`), refused: "line 1"},
		"what Admit refuses":          {edit: replace(`"team":"web"`, `"team":"forbidden"`), refused: "line 3, column 1: forbidden team"},
		"a comma too much":            {edit: replace("\n]", ",\n]"), refused: "line 4, column "},
		"a comma too little":          {edit: replace("},\n", "}\n"), refused: "line 2, column "},
		"another version of the API":  {edit: replace(`{"apiVersion":"jobwright.dev/v1","kind":"Job"`, `{"apiVersion":"jobwright.dev/v9","kind":"Job"`), refused: "line 3, column "},
		"a version that is no number": {edit: replace(`"resourceVersion":"1"`, `"resourceVersion":"one"`), refused: "line 3, column "},
		"a uid that is none":          {edit: replace(`"uid":"`, `"uid":"x`), refused: "line 2, column "},
		"a name that cannot be":       {edit: replace(`"name":"a"`, `"name":""`), refused: "line 3, column "},
		"a field twice":               {edit: replace(`"metadata":{"name":"b"`, `"metadata":{"name":"c","name":"b"`), refused: `line 4, column 70: metadata: the key "name" is there twice`},
		"a newer format":              {edit: replace(`"format":1`, `"format":2`), refused: "format 2, this version reads format 1"},
		"half of the file":            {edit: func(b []byte) []byte { return b[:len(b)/2] }, refused: "ends too soon"},
		"nothing":                     {edit: func([]byte) []byte { return nil }, refused: "line 1, column 1"},
		"no checkpoint":               {edit: func(b []byte) []byte { return append(b[:bytes.LastIndexByte(b, ']')+1], "}"...) }, refused: `"checkpoint" is missing`},
		"more behind the end":         {edit: func(b []byte) []byte { return append(b, "{}"...) }, refused: "after the end"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := closedDisk(t)
			d.Edit(snapshotFile, test.edit)
			d.Touch(snapshotFile, time.Now())
			before, ops := d.Content(snapshotFile), d.Ops()
			open := func() (*file.Store, error) {
				return file.Open(dataDir, file.Options{FS: d, IdleDelay: time.Hour, AcceptEdited: true, Admit: func(o v1.Object) error {
					if o.GetLabels()["team"] == "forbidden" {
						return errors.New("forbidden team")
					}
					return nil
				}})
			}
			s, err := open()
			if test.refused != "" {
				if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), test.refused) || !strings.Contains(err.Error(), snapshotFile) {
					t.Fatalf("error is %v, want %q", err, test.refused)
				}
				if !bytes.Equal(before, d.Content(snapshotFile)) || d.Ops() != ops {
					t.Error("something was changed")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			test.check(t, s)
			storetest.Check(t, s)
			want, err := stateOf(s)
			if err != nil {
				t.Fatal(err)
			}
			after := d.AfterCrash(vfstest.Lose, nil)
			if s, err = openOn(after); err != nil {
				t.Fatal(err)
			}
			if got, err := stateOf(s); err != nil || len(got) != len(want) {
				t.Errorf("after a crash: %d objects, want %d: %v", len(got), len(want), err)
			}
		})
	}
}

func wantJobs(n int) func(*testing.T, *file.Store) {
	return func(t *testing.T, s *file.Store) {
		t.Helper()
		page, err := s.List(t.Context(), store.ListOptions{Kind: "Job"})
		if err != nil || len(page.Items) != n {
			t.Errorf("%d jobs, want %d: %v", len(page.Items), n, err)
		}
	}
}

// TestAFileWhoseChecksumsDoNotFitIsRefused flips bits: whether the file has kept its time or
// lost it to a copy, it is served only when somebody has asked for that. What Fsck advises
// is what Open does.
func TestAFileWhoseChecksumsDoNotFitIsRefused(t *testing.T) {
	clean := closedDisk(t)
	content := clean.Content(snapshotFile)
	edited := 0
	for at := range content {
		for _, bit := range []byte{1, 0x20} {
			copied, name := bit == 1, map[bool]string{true: "in a copy", false: "in place"}[bit == 1]
			d := clean.AfterCrash(vfstest.Lose, nil)
			d.Edit(snapshotFile, func(b []byte) []byte {
				b[at] ^= bit
				return b
			})
			if copied {
				d.Touch(snapshotFile, time.Now())
			}
			where := fmt.Sprintf("bit %#x of byte %d (%q) %s", bit, at, content[max(0, at-20):at+1], name)
			_, err := openOn(d)
			report, checked := file.Fsck(dataDir, file.FsckOptions{FS: d}, nil)
			switch {
			case errors.Is(err, file.ErrEdited):
				edited++
				if checked != nil || report.Edit == nil || !strings.Contains(err.Error(), "--accept-edited") {
					t.Errorf("%s: %v; fsck: %+v, %v", where, err, report.Edit, checked)
					continue
				}
				s, err := file.Open(dataDir, file.Options{FS: d, AcceptEdited: true})
				if err != nil {
					t.Errorf("%s: the advice does not work: %v", where, err)
					continue
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			case errors.Is(err, store.ErrCorrupt):
				if !errors.Is(checked, store.ErrCorrupt) {
					t.Errorf("%s: %v; fsck: %v", where, err, checked)
				}
			default:
				t.Errorf("%s was not noticed: %v", where, err)
			}
			if err != nil && strings.Contains(err.Error(), "touch") {
				t.Errorf("%s: advises to touch: %v", where, err)
			}
		}
	}
	t.Logf("campaign: jobs.json: %d flipped bits, all refused, %d of them as edits, losses: 0", 2*len(content), edited)
}

// TestAnEditThatWasTakenOverCanBeWatchedFromItsList: the versions that an edited file gets
// are none that a crash may have taken.
func TestAnEditThatWasTakenOverCanBeWatchedFromItsList(t *testing.T) {
	d := closedDisk(t)
	d.Edit(snapshotFile, replace(`"nextjs-api-route"`, `"quota-check-lib"`))
	s, err := file.Open(dataDir, file.Options{FS: d, IdleDelay: time.Hour, AcceptEdited: true})
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.List(t.Context(), store.ListOptions{Kind: "Job"})
	if err != nil {
		t.Fatal(err)
	}
	watch, err := s.Watch(t.Context(), store.WatchOptions{Kind: "Job", Since: page.ResourceVersion})
	if err != nil {
		t.Fatalf("a watch from the list's own version %d: %v", page.ResourceVersion, err)
	}
	watch.Close()
}

func TestMissingFilesAreRefused(t *testing.T) {
	tests := map[string]struct {
		remove string
		want   string
	}{
		"jobs.json, of which the journal is the continuation": {snapshotFile, "missing"},
		"the journal that jobs.json names":                    {journalFile, "missing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := closedDisk(t)
			if test.remove == snapshotFile { // a journal that was rotated needs it
				s, err := openOn(d.AfterCrash(vfstest.Lose, nil))
				if err != nil {
					t.Fatal(err)
				}
				_ = s.Close()
				d = rotated(t)
			}
			if err := d.Remove(test.remove); err != nil {
				t.Fatal(err)
			}
			ops := d.Ops()
			_, err := openOn(d)
			if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v", err)
			}
			if d.Ops() != ops {
				t.Error("something was changed")
			}
		})
	}
}

// TestAJournalThatEndsBeforeWhatJobsJSONHasIsRefused: its next blocks would bear numbers
// that jobs.json has, and would be skipped by the next opening.
func TestAJournalThatEndsBeforeWhatJobsJSONHasIsRefused(t *testing.T) {
	d := closedDisk(t)
	d.Edit(journalFile, func(b []byte) []byte { return b[:64] })
	_, err := openOn(d)
	if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "block") || !strings.Contains(err.Error(), journalFile) {
		t.Errorf("error is %v", err)
	}
}

// rotated is a disk whose journal does not begin with its first segment any more.
func rotated(t *testing.T) *vfstest.Disk {
	t.Helper()
	d := vfstest.NewDisk()
	s, err := openOn(d)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if _, err := s.Create(t.Context(), benchJob("j"+strings.Repeat("x", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAFileOfTheOldFormatIsRefusedWithTheWayToImportIt(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "jobs.json")
	const old = `{"jobs":[{"id":"1731000000000-aaaaaa","type":"api_call","status":"succeeded"}]}`
	if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := file.Open(dir, file.Options{})
	if err == nil || errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "jobwright import "+path+" --data-dir NEW") {
		t.Errorf("error is %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != old {
		t.Errorf("the file is %q, %v", after, err)
	}
}

func TestASecondStoreOnTheSameFolderIsRefused(t *testing.T) {
	s, dir := newStore(t)
	if _, err := file.Open(dir, file.Options{}); !errors.Is(err, store.ErrLocked) || strings.Count(err.Error(), "process") != 1 {
		t.Errorf("error is %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reopen(t, dir)
}

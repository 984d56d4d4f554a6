package file_test

import (
	"slices"
	"testing"

	"jobwright.dev/store"
	"jobwright.dev/store/vfs/vfstest"
)

func TestASoftWriteIsSeenOnceAlsoWhenItIsWrittenLater(t *testing.T) {
	s, err := openOn(vfstest.NewDisk())
	if err != nil {
		t.Fatal(err)
	}
	records, err := s.Create(t.Context(), benchJob("a"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Watch(t.Context(), store.WatchOptions{Kind: "Job", Since: records[0].ResourceVersion()})
	if err != nil {
		t.Fatal(err)
	}
	j, err := records[0].Job()
	if err != nil {
		t.Fatal(err)
	}
	j.Status.Pct = 10
	soft, err := s.UpdateStatus(t.Context(), j, store.Soft)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Checkpoint(t.Context()); err != nil { // writes it
		t.Fatal(err)
	}
	last, err := s.Create(t.Context(), benchJob("b"))
	if err != nil {
		t.Fatal(err)
	}
	want := []uint64{soft.ResourceVersion(), last[0].ResourceVersion()}
	var got []uint64
	for len(got) < len(want) {
		events, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			got = append(got, e.Record.ResourceVersion())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAWatchFromAVersionThatACrashHasTakenBackExpires(t *testing.T) {
	d := vfstest.NewDisk()
	s, err := openOn(d)
	if err != nil {
		t.Fatal(err)
	}
	records, err := s.Create(t.Context(), benchJob("a"))
	if err != nil {
		t.Fatal(err)
	}
	j, err := records[0].Job()
	if err != nil {
		t.Fatal(err)
	}
	j.Status.Pct = 10
	soft, err := s.UpdateStatus(t.Context(), j, store.Soft)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = openOn(d.AfterCrash(vfstest.Lose, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Watch(t.Context(), store.WatchOptions{Kind: "Job", Since: soft.ResourceVersion()}); err == nil {
		t.Error("a watch from a lost version was taken")
	}
	if _, err := s.Watch(t.Context(), store.WatchOptions{Kind: "Job", Since: records[0].ResourceVersion()}); err != nil {
		t.Errorf("a watch from the recovered version: %v", err)
	}
	created, err := s.Create(t.Context(), benchJob("b"))
	if err != nil || created[0].ResourceVersion() <= soft.ResourceVersion() {
		t.Errorf("version %d after %d: %v", created[0].ResourceVersion(), soft.ResourceVersion(), err)
	}
	if _, err := s.Watch(t.Context(), store.WatchOptions{Kind: "Job", Since: soft.ResourceVersion()}); err == nil {
		t.Error("a watch from a lost version was taken after the next write")
	}
}

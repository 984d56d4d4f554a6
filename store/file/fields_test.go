package file_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/api/v1/v1test"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
)

// TestEveryFieldIsStored writes an object of every kind with every field set, and reads
// it from memory and, after the store was opened again, from the disk.
func TestEveryFieldIsStored(t *testing.T) {
	dir := t.TempDir()
	for _, kind := range v1.Kinds() {
		full := v1test.Full(kind)
		full.SetUID("")
		full.SetDeletionTimestamp(nil)
		full.SetDeletionGracePeriodSeconds(nil)
		if !kind.Namespaced {
			full.SetNamespace("")
		}
		want := full.DeepCopyObject().(v1.Object)
		if job, ok := want.(*v1.Job); ok {
			job.Status.BlockedBy = nil // computed when read, never stored
		}
		key := store.KeyOf(want)
		s, err := file.Open(dir, file.Options{MinFree: -1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Create(context.Background(), full); err != nil {
			t.Fatalf("%s: %v", kind.Name, err)
		}
		for _, from := range []string{"memory", "the disk"} {
			record, err := s.Get(context.Background(), key)
			if err != nil {
				t.Fatalf("%s from %s: %v", kind.Name, from, err)
			}
			got, err := record.Object(v1.Kinds())
			if err != nil {
				t.Fatal(err)
			}
			for _, set := range []func(v1.Object){ // by the store
				func(o v1.Object) { o.SetUID(got.GetUID()) },
				func(o v1.Object) { o.SetResourceVersion(got.GetResourceVersion()) },
				func(o v1.Object) { o.SetGeneration(got.GetGeneration()) },
				func(o v1.Object) { o.SetCreationTimestamp(got.GetCreationTimestamp()) },
			} {
				set(want)
			}
			if !reflect.DeepEqual(want, got) {
				t.Errorf("%s from %s:\n%s", kind.Name, from, cmp.Diff(want, got))
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = file.Open(dir, file.Options{MinFree: -1}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

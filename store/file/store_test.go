package file_test

import (
	"testing"

	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Engine{Open: func(t *testing.T, dir string) store.Store {
		t.Helper()
		s, err := file.Open(dir, file.Options{SegmentSize: 1 << 20, MinFree: -1})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}})
}

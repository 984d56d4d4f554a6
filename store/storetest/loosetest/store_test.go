package loosetest_test

import (
	"testing"

	"jobwright.dev/store"
	"jobwright.dev/store/storetest"
	"jobwright.dev/store/storetest/loosetest"
)

func TestStore(t *testing.T) {
	last := map[string]*loosetest.Store{}
	storetest.Run(t, storetest.Engine{Open: func(t *testing.T, dir string) store.Store {
		t.Helper()
		if last[dir] == nil {
			last[dir] = loosetest.New()
		} else {
			last[dir] = last[dir].Reopen()
		}
		return last[dir]
	}}, store.Features{})
}

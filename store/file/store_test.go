package file_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/storetest"
	"jobwright.dev/store/vfs/vfstest"
)

// all are the features of this engine.
var all = store.Features{AtomicCreate: true, AtomicRerun: true, Verbatim: true, GivenIdentity: true, DeletedVersion: true}

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Engine{Open: func(t *testing.T, dir string) store.Store {
		t.Helper()
		s, err := file.Open(dir, file.Options{SegmentSize: 1 << 20, MinFree: -1})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}}, all)
}

// TestStoreOnADiskThatLosesPower runs the suite over the fault filesystem.
func TestStoreOnADiskThatLosesPower(t *testing.T) {
	m := &machine{disks: map[string]*vfstest.Disk{}}
	storetest.Run(t, storetest.Engine{Power: m, Open: func(t *testing.T, dir string) store.Store {
		t.Helper()
		if m.disks[dir] == nil {
			m.disks[dir] = vfstest.NewDisk()
		}
		s, err := file.Open(dir, file.Options{FS: m.disks[dir], SegmentSize: 64 << 10, MinFree: -1, IdleDelay: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}}, all)
}

// machine is disks by the folder that they are for.
type machine struct{ disks map[string]*vfstest.Disk }

func (m *machine) Cut(dir string, seed uint64) {
	d := m.disks[dir]
	d.CrashAt(d.Ops() + 1 + rand.New(rand.NewPCG(seed, 1)).IntN(400))
}

func (m *machine) Return(s store.Store, dir string) {
	d := m.disks[dir]
	random := rand.New(rand.NewPCG(uint64(d.Ops()), 2))
	m.disks[dir] = d.AfterCrash(vfstest.Aftermath(random.IntN(3)), random)
	_ = s.(*file.Store).Close() // it is of a machine that is no more
}

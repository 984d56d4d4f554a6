package file_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"jobwright.dev/store"
	"jobwright.dev/store/vfs/vfstest"
)

// TestAStoreOverAClockThatIsSetBack opens one store again and again, each time at some
// moment of the same day: the bubble's clock begins at midnight. Whatever it shows,
// objects stand in the order in which they were created, versions go on, nothing is lost
// and a jobs.json that is newer or older than the clock is not taken for edited.
func TestAStoreOverAClockThatIsSetBack(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	d := vfstest.NewDisk()
	var want []string
	last := uint64(0)
	for life := range 12 {
		crash := life%3 == 1
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Duration(random.IntN(23*3600)) * time.Second)
			s, err := openOn(d)
			if err != nil {
				t.Fatal(err)
			}
			for n := range 5 {
				time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond)
				name := fmt.Sprintf("life-%d-%d", life, n)
				records, err := s.Create(t.Context(), benchJob(name))
				if err != nil {
					t.Fatal(err)
				}
				if v := records[0].ResourceVersion(); v <= last {
					t.Errorf("version %d after %d", v, last)
				}
				last = records[0].ResourceVersion()
				want = append(want, name)
			}
			for _, order := range []store.Order{store.OldestFirst, store.NewestFirst} {
				page, err := s.List(t.Context(), store.ListOptions{Kind: "Job", Order: order})
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, r := range page.Items {
					got = append(got, r.Key().Name)
				}
				if order == store.NewestFirst {
					slices.Reverse(got)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("life %d: got %v, want %v", life, got, want)
				}
			}
			if crash {
				d = d.AfterCrash(vfstest.Lose, nil)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

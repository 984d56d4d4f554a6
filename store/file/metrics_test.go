package file_test

import (
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"jobwright.dev/store/file"
	"jobwright.dev/store/vfs/vfstest"
)

// TestMetricsTellWhetherTheStoreTakesWritesNow: a store that writes again after an error
// says so, and only the count of its errors stays.
func TestMetricsTellWhetherTheStoreTakesWritesNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := vfstest.NewDisk()
		registry := prometheus.NewPedanticRegistry()
		s, err := file.Open(dataDir, file.Options{FS: d, MinFree: 1 << 20, IdleDelay: time.Hour, Registerer: registry})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		want := func(when string, readOnly, errors float64) {
			t.Helper()
			got := values(t, registry)
			if got["jobwright_store_read_only"] != readOnly || got["jobwright_store_write_errors_total"] != errors {
				t.Errorf("%s: read-only is %v after %v errors, want %v after %v", when,
					got["jobwright_store_read_only"], got["jobwright_store_write_errors_total"], readOnly, errors)
			}
		}
		create(t, s, "before")
		want("before", 0, 0)
		d.FailWhen(func(op, name string) (vfstest.Fault, bool) {
			return vfstest.Fault{Err: syscall.EIO}, op == "fdatasync" && filepath.Ext(name) == ".journal"
		})
		if _, err := s.Create(t.Context(), benchJob("lost")); err == nil {
			t.Fatal("a sync that fails is no error")
		}
		want("after the error", 1, 1)
		time.Sleep(time.Hour)
		want("after an hour of errors", 1, 1)
		d.FailWhen(nil)
		time.Sleep(2 * time.Minute)
		want("when it works again", 0, 1)
		d.SetFree(3 << 20)
		if got := values(t, registry); got["jobwright_store_free_bytes"] != 3<<20 || got["jobwright_store_min_free_bytes"] != 1<<20 {
			t.Errorf("%v bytes are free, the limit is %v", got["jobwright_store_free_bytes"], got["jobwright_store_min_free_bytes"])
		}
	})
}

// values are the gauges and counters of a registry by name.
func values(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		metric := family.GetMetric()[0]
		all[family.GetName()] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
	}
	return all
}

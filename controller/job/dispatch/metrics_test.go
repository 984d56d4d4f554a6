package dispatch

import (
	"context"
	"strings"
	"testing"
	"time"
	"unique"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"jobwright.dev/controller"
	"jobwright.dev/controller/job/schedule"
	"jobwright.dev/store"
)

// counting is a store of which only the counts are asked.
type counting struct{ controller.Store }

func (counting) Count(context.Context, string) ([]store.Count, error) { return nil, nil }

// TestAgesTellWhatIsStuck puts jobs in every state a metric tells apart: a lease that has
// run out, a queued job that could run, and those that wait by their own wish.
func TestAgesTellWhatIsStuck(t *testing.T) {
	d := New(Options{Store: counting{}, Name: "w", Slots: 1})
	metrics := d.Metrics()
	now := time.Now()
	lease := func(d time.Duration) *extra { return &extra{lease: now.Add(d).UnixMicro()} }
	uids := map[string]uuid.UUID{}
	for name, e := range map[string]*entry{
		"held by nobody":      {extra: lease(-time.Second)},
		"held elsewhere":      {extra: lease(time.Hour), scheduled: elsewhere},
		"running here":        {extra: lease(-time.Hour), atWork: true},
		"waits by its wish":   {},
		"waits for its time":  {scheduled: queued},
		"its time has come":   {scheduled: queued},
		"ended, but not gone": {finished: true, extra: lease(-time.Hour)},
	} {
		e.uid, e.workspace = uuid.New(), unique.Make("acme")
		uids[name] = e.uid
		d.jobs.Put(e)
	}
	for name, notBefore := range map[string]time.Time{"waits for its time": now.Add(time.Hour), "its time has come": now.Add(-time.Minute)} {
		d.schedule.Upsert(schedule.Item{UID: uids[name], Workspace: "acme", Since: now.Add(-72 * time.Hour), NotBefore: notBefore})
	}
	const want = `
# HELP jobwright_jobs_without_lease Jobs whose attempt no worker has given a sign of life for since its lease ended.
# TYPE jobwright_jobs_without_lease gauge
jobwright_jobs_without_lease{workspace="acme"} 1
`
	if err := testutil.CollectAndCompare(metrics, strings.NewReader(want), "jobwright_jobs_without_lease"); err != nil {
		t.Error(err)
	}
	if got := testutil.ToFloat64(agesOf{metrics, metrics.oldestQueued, now}); got != 60 {
		t.Errorf("the oldest queued job has waited for %v s, want 60", got)
	}
}

// agesOf collects the one metric, as of a time.
type agesOf struct {
	*Metrics
	desc *prometheus.Desc
	now  time.Time
}

func (a agesOf) Collect(ch chan<- prometheus.Metric) {
	all := make(chan prometheus.Metric, 100)
	a.collectAges(all, a.now)
	close(all)
	for metric := range all {
		if metric.Desc() == a.desc {
			ch <- metric
		}
	}
}

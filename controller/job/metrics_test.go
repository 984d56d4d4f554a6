package job_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/store"
)

// seriesOf are the metrics with a series of a workspace.
func seriesOf(t *testing.T, registry *prometheus.Registry, workspace string) []string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "workspace" && label.GetValue() == workspace {
					names[family.GetName()] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// TestTheSeriesOfADeletedWorkspaceEnd: those of the others do not, and its own begin anew
// with the next workspace of its name.
func TestTheSeriesOfADeletedWorkspaceEnd(t *testing.T) {
	e := newEnvironment(t, succeed)
	registry := prometheus.NewPedanticRegistry()
	e.opts.Registerer = registry
	e.start()
	elsewhere := func(j *v1.Job) { j.Namespace = "calm" }
	workspace := &v1.Workspace{TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace}, ObjectMeta: metav1.ObjectMeta{Name: "acme"}}
	e.create("one", elsewhere)
	for range 2 {
		if _, err := e.store.Create(t.Context(), workspace); err != nil {
			t.Fatal(err)
		}
		e.create("one")
		e.until("one", terminal)
		if got := seriesOf(t, registry, "acme"); !slices.Contains(got, "jobwright_jobs_finished_total") || !slices.Contains(got, "jobwright_job_run_seconds") {
			t.Errorf("after a job the workspace has series of %s", strings.Join(got, " "))
		}
		e.delete("one")
		if _, err := e.store.Delete(t.Context(), store.KeyOf(workspace), store.Preconditions{}); err != nil {
			t.Fatal(err)
		}
		untilSeries(t, registry, "acme", 0)
		workspace.UID, workspace.ResourceVersion = "", ""
	}
	if got := seriesOf(t, registry, "calm"); !slices.Contains(got, "jobwright_job_attempts_total") {
		t.Errorf("the other workspace has series of %s", strings.Join(got, " "))
	}
}

// untilSeries waits until a workspace has series of that many metrics.
func untilSeries(t *testing.T, registry *prometheus.Registry, workspace string, n int) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(time.Minute)
	for got := seriesOf(t, registry, workspace); len(got) != n; got = seriesOf(t, registry, workspace) {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("workspace %s has series of %s", workspace, strings.Join(got, " "))
		}
	}
}

// TestSlotsAndWhatHoldsThemAreMetrics: a job that runs holds a slot until its end.
func TestSlotsAndWhatHoldsThemAreMetrics(t *testing.T) {
	runs := make(chan struct{})
	e := newEnvironment(t, func(ctx context.Context, a action.Attempt, s action.Sink) action.Outcome {
		runs <- struct{}{}
		return untilStopped(ctx, a, s)
	})
	registry := prometheus.NewPedanticRegistry()
	e.opts.Registerer = registry
	e.start()
	if slots, taken := gauge(t, registry, "jobwright_slots"), gauge(t, registry, "jobwright_slots_taken"); slots != 2 || taken != 0 {
		t.Errorf("%v slots, %v taken; want 2 and none", slots, taken)
	}
	e.create("one")
	<-runs
	if taken := gauge(t, registry, "jobwright_slots_taken"); taken != 1 {
		t.Errorf("%v slots are taken by a job that runs", taken)
	}
	e.cancel("one")
	e.until("one", terminal)
	for look := time.NewTicker(5 * time.Millisecond); gauge(t, registry, "jobwright_slots_taken") != 0; <-look.C {
		if t.Context().Err() != nil {
			t.Fatal("the slot stays taken")
		}
	}
}

func gauge(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}

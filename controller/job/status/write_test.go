package status_test

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/status"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
)

// slow is the way to a store on which a write can be under way when its caller has given
// up: it arrives with the next one.
type slow struct {
	*file.Store
	late   bool // the next write arrives late
	onWay  *v1.Job
	writes int // that the store was asked for
}

func (s *slow) UpdateStatus(ctx context.Context, obj v1.Object, d store.Durability) (store.Record, error) {
	s.writes++
	if s.late {
		s.late, s.onWay = false, obj.(*v1.Job).DeepCopy()
		return store.Record{}, store.ErrUnknown
	}
	if s.onWay != nil {
		if _, err := s.Store.UpdateStatus(ctx, s.onWay, d); err != nil {
			return store.Record{}, err
		}
		s.onWay = nil
	}
	return s.Store.UpdateStatus(ctx, obj, d)
}

func TestConfirm(t *testing.T) {
	for name, test := range map[string]struct {
		meanwhile func(t *testing.T, s *slow, job *v1.Job) // between the lost answer and Confirm
		want      status.Fate
		writes    int
	}{
		"a write that never arrives is written again": {
			meanwhile: func(_ *testing.T, s *slow, _ *v1.Job) { s.onWay = nil }, want: status.Written, writes: 2,
		},
		"a write that arrives while it is looked for is found": {want: status.Written, writes: 2},
		"a write that has arrived is found": {
			meanwhile: func(t *testing.T, s *slow, _ *v1.Job) {
				if _, err := s.Store.UpdateStatus(t.Context(), s.onWay, store.Durable); err != nil {
					t.Fatal(err)
				}
				s.onWay = nil
			}, want: status.Written, writes: 1,
		},
		"somebody else has written first": {
			meanwhile: func(t *testing.T, s *slow, job *v1.Job) {
				other := job.DeepCopy()
				other.Status = v1.JobStatus{Phase: v1.JobQueued, Message: "of somebody else"}
				if _, err := s.Store.UpdateStatus(t.Context(), other, store.Durable); err != nil {
					t.Fatal(err)
				}
			}, want: status.Overtaken, writes: 1,
		},
		"the job was deleted": {
			meanwhile: func(t *testing.T, s *slow, job *v1.Job) {
				if _, err := s.Delete(t.Context(), store.KeyOf(job), store.Preconditions{}); err != nil {
					t.Fatal(err)
				}
			}, want: status.Gone, writes: 1,
		},
		"another job has its name now": {
			meanwhile: func(t *testing.T, s *slow, job *v1.Job) {
				if _, err := s.Delete(t.Context(), store.KeyOf(job), store.Preconditions{}); err != nil {
					t.Fatal(err)
				}
				create(t, s.Store)
			}, want: status.Gone, writes: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := file.Open(t.TempDir(), file.Options{MinFree: -1})
			if err != nil {
				t.Fatal(err)
			}
			defer objects.Close()
			job := create(t, objects)
			s := &slow{Store: objects, late: true}
			w := &status.Writer{Store: s, Metrics: status.NewMetrics()}
			write := status.Write{Job: job, Was: job.Status, Now: time.Now()}
			job.Status = v1.JobStatus{Phase: v1.JobQueued, Message: "ours", LastUpdateTime: new(metav1.NewMicroTime(write.Now))}
			if _, err := w.Do(t.Context(), &write); !status.Unconfirmed(err) {
				t.Fatalf("err = %v", err)
			}
			if test.meanwhile != nil {
				test.meanwhile(t, s, job)
			}
			fate, version, err := w.Confirm(t.Context(), &write)
			if fate != test.want || err != nil || s.writes != test.writes {
				t.Errorf("fate %d after %d writes, %v; want %d after %d", fate, s.writes, err, test.want, test.writes)
			}
			if fate == status.Written {
				record, err := objects.Get(t.Context(), store.KeyOf(job))
				if err != nil || record.ResourceVersion() != version || !record.Contains(`"ours"`) {
					t.Errorf("the store has version %d, %v; want %d", record.ResourceVersion(), err, version)
				}
			}
		})
	}
}

func create(t *testing.T, objects *file.Store) *v1.Job {
	t.Helper()
	records, err := objects.Create(t.Context(), &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: "one", Namespace: "acme"}, Spec: v1.JobSpec{Type: v1.JobTypeAPICall},
		Status: v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued},
	})
	if err != nil {
		t.Fatal(err)
	}
	job, err := records[0].Job()
	if err != nil {
		t.Fatal(err)
	}
	return job
}

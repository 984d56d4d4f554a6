package store_test

import (
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

func TestFinishedIsWhatHasEndedAndIsNotToRunAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		phase                v1.JobPhase
		wanted, done         int32
		finished, knownPhase bool
	}{
		"a queued job":                       {phase: v1.JobQueued},
		"a job nobody has looked at":         {phase: ""},
		"a running job":                      {phase: v1.JobRunning},
		"a job that has succeeded":           {phase: v1.JobSucceeded, finished: true},
		"a job that has failed":              {phase: v1.JobFailed, finished: true, knownPhase: true},
		"a failed job that is to run again":  {phase: v1.JobFailed, wanted: 1},
		"the same, by a phase kept beside":   {phase: v1.JobFailed, wanted: 1, knownPhase: true},
		"a job whose rerun has ended":        {phase: v1.JobCanceled, wanted: 2, done: 2, finished: true, knownPhase: true},
		"a job that is running for a second": {phase: v1.JobRunning, wanted: 1, done: 1, knownPhase: true},
	} {
		t.Run(name, func(t *testing.T) {
			j := &v1.Job{
				TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
				ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "a"},
			}
			j.Spec.Reruns, j.Status.Reruns, j.Status.Phase = tc.wanted, tc.done, tc.phase
			encoding, err := json.Marshal(j)
			if err != nil {
				t.Fatal(err)
			}
			record := store.NewRecord(store.KeyOf(j), uuid.UUID{}, 1, encoding)
			if tc.knownPhase {
				record = record.WithPhase(tc.phase)
			}
			got, err := record.Finished()
			if err != nil || got != tc.finished || j.Finished() != tc.finished {
				t.Errorf("the record says %v, %v, the job %v, want %v", got, err, j.Finished(), tc.finished)
			}
		})
	}
}

package v1_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
)

func TestWhenAnObjectWasCreatedAndSubmitted(t *testing.T) {
	created := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	version7 := func(at time.Time) types.UID {
		id := uuid.UUID{6: 0x70, 8: 0x80}
		binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|0x7000)
		return types.UID(id.String())
	}
	for name, c := range map[string]struct {
		uid                types.UID
		created, submitted time.Time
	}{
		"the uid knows milliseconds": {
			version7(created.Add(123 * time.Millisecond)), created.Add(123 * time.Millisecond), created.Add(123 * time.Millisecond),
		},
		"created after the clock was set back, it comes behind what was before": {
			version7(created.Add(24 * time.Hour)), created, created.Add(24 * time.Hour),
		},
		"a uid of an earlier time": {version7(created.Add(-time.Hour)), created, created},
		"a uid of another version": {"0b0e9ff2-6c7a-4b1c-8a55-0f8d1d0c2d3e", created, created},
		"what is no UUID":          {"u", created, created},
	} {
		t.Run(name, func(t *testing.T) {
			job := &v1.Job{ObjectMeta: metav1.ObjectMeta{UID: c.uid, CreationTimestamp: metav1.NewTime(created)}}
			if at := v1.CreatedAt(job); !at.Equal(c.created) {
				t.Errorf("created at %v, want %v", at, c.created)
			}
			if at := v1.SubmittedAt(job); !at.Equal(c.submitted) {
				t.Errorf("submitted at %v, want %v", at, c.submitted)
			}
		})
	}
}

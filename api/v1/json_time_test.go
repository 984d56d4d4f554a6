package v1_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

func TestTimesAreEncodedAsKubernetesDoes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	times := []time.Time{
		{},
		time.Unix(0, 0),
		time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC),
		time.Date(1999, 12, 31, 23, 59, 59, 999_999_999, time.FixedZone("west", -3600)),
		time.Date(2024, 2, 29, 0, 0, 0, 0, time.FixedZone("east", 5*3600+1800)),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(12345, 1, 2, 3, 4, 5, 6000, time.UTC),
	}
	for range 1000 {
		times = append(times, time.Unix(random.Int64N(1<<35), random.Int64N(1e9)))
	}
	for _, at := range times {
		seconds, err := json.Marshal(metav1.NewTime(at))
		if err != nil {
			t.Fatal(err)
		}
		micros, err := json.Marshal(metav1.NewMicroTime(at))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(v1.AppendTime(nil, at, false)); got != string(seconds) {
			t.Errorf("%v: %s, want %s", at, got, seconds)
		}
		if got := string(v1.AppendTime(nil, at, true)); got != string(micros) {
			t.Errorf("%v: %s, want %s", at, got, micros)
		}
	}
}

// TestTimesAreDecodedAsKubernetesDoes changes each character of a time to several others.
func TestTimesAreDecodedAsKubernetesDoes(t *testing.T) {
	for _, at := range []string{
		"2024-02-29T23:59:59Z", "2024-02-29T23:59:59.123456Z", "2023-02-29T00:00:00Z", "2024-02-30T00:00:00.000000Z", "2024-13-01T00:00:00Z",
		"2024-06-31T24:00:00Z", "2024-06-30T23:60:00Z", "2024-06-30T23:59:60Z", "0000-01-01T00:00:00Z", "2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59.123456+01:00",
	} {
		for i := range len(at) {
			for _, c := range []byte("0123459-:.ZT ") {
				text := at[:i] + string(c) + at[i+1:]
				same(t, []byte(`{"metadata":{"creationTimestamp":"`+text+`"}}`))
				same(t, []byte(`{"status":{"startTime":"`+text+`"}}`))
			}
		}
	}
}

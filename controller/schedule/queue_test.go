package schedule_test

import (
	"fmt"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"jobwright.dev/controller/schedule"
)

func TestHigherPriorityRunsFirstAndEqualsOldestFirst(t *testing.T) {
	q := schedule.New()
	q.Upsert(schedule.Item{UID: "2", Priority: 0})
	q.Upsert(schedule.Item{UID: "3", Priority: 10})
	q.Upsert(schedule.Item{UID: "1", Priority: 0})
	q.Upsert(schedule.Item{UID: "0", Priority: -5})
	if n, ok := q.Position("0"); n != 3 || !ok {
		t.Errorf("Position(0) = %d, %v, want 3, true", n, ok)
	}
	q.Upsert(schedule.Item{UID: "0", Priority: 20}) // raised while queued
	q.Remove("3")
	q.Remove("not there")
	var got []types.UID
	for item, ok := q.Pop(); ok; item, ok = q.Pop() {
		got = append(got, item.UID)
	}
	if want := []types.UID{"0", "1", "2"}; !slices.Equal(got, want) {
		t.Errorf("order = %v, want %v", got, want)
	}
	if _, ok := q.Position("0"); ok {
		t.Error("a job that was taken out still has a position")
	}
}

// TestQueueAgreesWithASortedList compares with the obvious implementation.
func TestQueueAgreesWithASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, model := schedule.New(), map[types.UID]schedule.Item{}
		next := func() (best schedule.Item) {
			for _, item := range model {
				if best.UID == "" || item.Priority > best.Priority || item.Priority == best.Priority && item.UID < best.UID {
					best = item
				}
			}
			return best
		}
		t.Repeat(map[string]func(*rapid.T){
			"upsert": func(t *rapid.T) {
				item := schedule.Item{
					UID:      types.UID(fmt.Sprint(rapid.IntRange(0, 20).Draw(t, "uid"))),
					Priority: int32(rapid.IntRange(-2, 2).Draw(t, "priority")),
				}
				q.Upsert(item)
				model[item.UID] = item
			},
			"remove": func(t *rapid.T) {
				uid := types.UID(fmt.Sprint(rapid.IntRange(0, 20).Draw(t, "uid")))
				q.Remove(uid)
				delete(model, uid)
			},
			"pop": func(t *rapid.T) {
				want := next()
				got, ok := q.Pop()
				if ok != (want.UID != "") || got != want {
					t.Fatalf("Pop = %v, %v, want %v", got, ok, want)
				}
				delete(model, want.UID)
			},
			"": func(t *rapid.T) {
				if q.Len() != len(model) {
					t.Fatalf("Len = %d, want %d", q.Len(), len(model))
				}
			},
		})
	})
}

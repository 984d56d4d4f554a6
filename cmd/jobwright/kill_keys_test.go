package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestKillNineWhileRequestsWithKeysCome kills the server while clients create jobs, each
// with a key, and repeat what was not answered: at the end there is one job for each key,
// whatever the kill has met, and every answer names it.
func TestKillNineWhileRequestsWithKeysCome(t *testing.T) {
	k, _ := newKilled(t)
	const clients, each, kills = 4, 60, 3
	k.start()
	k.ready()
	var mu sync.Mutex
	answers := map[string]map[string]bool{} // ids by key
	var done, repeated atomic.Int64
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			again := time.NewTicker(5 * time.Millisecond)
			defer again.Stop()
			for i := range each {
				key := fmt.Sprintf("%d-%d", c, i)
				for t.Context().Err() == nil {
					id, ok := k.createWithKey(t.Context(), key)
					if !ok {
						repeated.Add(1)
						<-again.C
						continue
					}
					mu.Lock()
					if answers[key] == nil {
						answers[key] = map[string]bool{}
					}
					answers[key][id] = true
					mu.Unlock()
					break
				}
				done.Add(1)
			}
		})
	}
	for n := range int64(kills) {
		look := time.NewTicker(time.Millisecond)
		for done.Load() < (n+1)*clients*each/(kills+1) {
			<-look.C
		}
		look.Stop()
		k.kill()
		k.start()
	}
	wg.Wait()
	k.ready()
	for key := range answers { // those that were answered before a kill, too
		id, ok := k.createWithKey(t.Context(), key)
		if !ok {
			t.Fatalf("key %s: no answer", key)
		}
		answers[key][id] = true
	}
	ids := map[string]bool{}
	for key, named := range answers {
		if len(named) != 1 {
			t.Errorf("key %s: its answers name %v", key, named)
		}
		for id := range named {
			ids[id] = true
		}
	}
	names := strings.Fields(k.jobwright("get", "jobs", "-o", "name"))
	if len(ids) != clients*each || len(names) != clients*each {
		t.Errorf("%d keys, %d ids, %d jobs; want %d of each", len(answers), len(ids), len(names), clients*each)
	}
	t.Logf("campaign: %d kills, %d requests without an answer, 0 jobs twice", kills, repeated.Load())
	k.stop()
}

// createWithKey creates a record; false: the request was not answered.
func (k *killed) createWithKey(ctx context.Context, key string) (id string, ok bool) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+k.address+"/api/jobs", bytes.NewReader([]byte(newRecord)))
	if err != nil {
		return "", false
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	r.AddCookie(&http.Cookie{Name: "active_workspace", Value: "default"})
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", false
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusAccepted {
		return "", false
	}
	var answer struct{ Result struct{ ID string } }
	if err := json.Unmarshal(text, &answer); err != nil || answer.Result.ID == "" {
		return "", false
	}
	return answer.Result.ID, true
}

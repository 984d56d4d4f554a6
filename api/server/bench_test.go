package server_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// BenchmarkCreateOverHTTP: durable creation through POST /api/jobs by 1 and 64 clients
// in the same process as the server, over loopback.
func BenchmarkCreateOverHTTP(b *testing.B) {
	for name, clients := range map[string]int{"clients=1": 1, "clients=64": 64} {
		b.Run(name, func(b *testing.B) {
			f := newFixture(b)
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
			var left atomic.Int64
			left.Store(int64(b.N))
			done := make(chan struct{})
			b.ResetTimer()
			for range clients {
				go func() {
					defer func() { done <- struct{}{} }()
					for left.Add(-1) >= 0 {
						request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, f.url+"/api/jobs", strings.NewReader(`{"type":"api_call","payload":{"n":1}}`))
						if err != nil {
							b.Error(err)
							return
						}
						request.Header.Set("Cookie", "active_workspace=acme")
						response, err := client.Do(request)
						if err != nil {
							b.Error(err)
							return
						}
						response.Body.Close()
						if response.StatusCode != http.StatusAccepted {
							b.Errorf("status %d", response.StatusCode)
							return
						}
					}
				}()
			}
			for range clients {
				<-done
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
		})
	}
}

package wire

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// roundTrips answers the requests one after the other; the last answer is for the rest.
type roundTrips struct {
	answers []func(*http.Request) *http.Response

	mu   sync.Mutex
	seen []*http.Request
}

func (r *roundTrips) requests() []*http.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// RoundTrip implements http.RoundTripper.
func (r *roundTrips) RoundTrip(request *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := r.answers[min(len(r.seen), len(r.answers)-1)]
	r.seen = append(r.seen, request)
	response := answer(request)
	response.Request = request
	return response, nil
}

func response(status int, kind, body string) func(*http.Request) *http.Response {
	return func(*http.Request) *http.Response {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))}
	}
}

// TestTheStreamOfASessionIsOpenedAgain where it was left, and not for ever where a server
// has none.
func TestTheStreamOfASessionIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &roundTrips{answers: []func(*http.Request) *http.Response{
			response(http.StatusServiceUnavailable, "text/plain", "starting"),
			response(http.StatusOK, eventStream, "id: 7\nretry: 3000\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n\n"),
			response(http.StatusOK, eventStream, ""),
			response(http.StatusMethodNotAllowed, "text/plain", ""),
		}}
		ctx, cancel := context.WithCancel(t.Context())
		peer := NewPeer(Options{See: func(string, json.RawMessage) {}})
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1/", nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := peer.HTTP(next).RoundTrip(request)
		if err != nil || got.StatusCode != http.StatusOK {
			t.Fatalf("response %v, %v", got, err)
		}
		read := make(chan string, 1)
		go func() {
			data, _ := io.ReadAll(got.Body)
			read <- string(data)
		}()
		// 1 s after the refusal, 3 s and 6 s after the streams that ended.
		for at, want := range map[time.Duration]int{500 * time.Millisecond: 1, 1500 * time.Millisecond: 2, 4500 * time.Millisecond: 3, 11 * time.Second: 4, time.Hour: 4} {
			time.AfterFunc(at, func() {
				if n := len(next.requests()); n != want {
					t.Errorf("after %s it was asked for %d times, want %d", at, n, want)
				}
			})
		}
		synctest.Wait()
		<-time.After(2 * time.Hour)
		cancel()
		got.Body.Close()
		if text := <-read; !strings.Contains(text, `"method":"ping"`) {
			t.Errorf("read %q", text)
		}
		if id := next.requests()[2].Header.Get(resumeHeader); id != "7" {
			t.Errorf("it goes on from event %q", id)
		}
	})
}

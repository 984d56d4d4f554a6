package apicall

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
)

// TestTheKeyIsThatOfTheRun: a receiver that remembers keys acts once, however often the job
// is tried.
func TestTheKeyIsThatOfTheRun(t *testing.T) {
	var got [2]string
	url := answers(t, func(_ http.ResponseWriter, r *http.Request) {
		got = [2]string{r.Header.Get("Idempotency-Key"), r.Header.Get("Jobwright-Attempt")}
	})
	for name, tc := range map[string]struct {
		attempts, reruns int32
		own              string
		want             [2]string
	}{
		"the first attempt":  {1, 0, "", [2]string{"uid-run-0", "1"}},
		"the second":         {2, 0, "", [2]string{"uid-run-0", "2"}},
		"the job's own key":  {2, 0, "order-7", [2]string{"order-7", "2"}},
		"the next run":       {3, 1, "", [2]string{"uid-run-1", "3"}},
		"its second attempt": {4, 1, "", [2]string{"uid-run-1", "4"}},
	} {
		a := attempt(&v1.APICallAction{URL: url, Body: raw(`1`)})
		if tc.own != "" {
			a.Job.Spec.APICall.Headers = map[string]v1.HeaderValue{"idempotency-key": {Value: tc.own}}
		}
		a.Job.Status.Attempts, a.Job.Status.Reruns = tc.attempts, tc.reruns
		New(Options{Network: private()}).Run(t.Context(), a, &recorder{})
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestADroppedRequestIsAnInterruption has a server that closes at the second request of a
// connection, as those do whose idle time has passed.
func TestADroppedRequestIsAnInterruption(t *testing.T) {
	var mu sync.Mutex
	posts := map[string]int{}
	url := speaks(t, func(c net.Conn) {
		reader := bufio.NewReader(c)
		for n := 0; ; n++ {
			r, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			mu.Lock()
			posts[r.URL.Path]++
			mu.Unlock()
			if n > 0 || r.URL.Path == "/drop" {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	r := New(Options{Network: private()})
	for range 3 {
		if o := r.Run(t.Context(), attempt(&v1.APICallAction{URL: url + "/kept", Body: raw(`1`)}), &recorder{}); o.Reason != "" {
			t.Errorf("%+v", o)
		}
	}
	for _, method := range []string{"POST", "GET", "PUT"} {
		if o := r.Run(t.Context(), attempt(&v1.APICallAction{URL: url + "/drop", Method: method}), &recorder{}); o.Reason != v1.ReasonInterrupted {
			t.Errorf("%+v", o)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff(map[string]int{"/kept": 3, "/drop": 3}, posts); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

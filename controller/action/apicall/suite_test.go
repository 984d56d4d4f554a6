package apicall

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/actiontest"
)

func TestSuite(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "two\r\nlines\n\xff\n"+strings.Repeat("x", 100<<10))
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush() // the response begins, and its body never comes
		<-r.Context().Done()
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	job := func(url string) *v1.Job { return attempt(&v1.APICallAction{URL: url}).Job }
	actiontest.Run(t, actiontest.Harness{
		Runner:  New(Options{Network: private()}),
		Success: job(server.URL + "/ok"),
		Failure: job(server.URL + "/no-such-page"),
		Endless: job(server.URL + "/endless"),
		Running: func(text string) bool { return text == "http:response" },
		Bad: map[string]*v1.Job{
			"another scheme": job("file:///etc/passwd"),
			"no host":        job("http:///x"),
			"no URL":         job("::"),
			"bad method":     attempt(&v1.APICallAction{URL: server.URL, Method: "A B"}).Job,
			"bad header":     attempt(&v1.APICallAction{URL: server.URL, Headers: map[string]v1.HeaderValue{"X": {Value: "a\nb"}}}).Job,
		},
	})
}

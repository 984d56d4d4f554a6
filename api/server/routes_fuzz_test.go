package server_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"jobwright.dev/api/server"
)

// FuzzRoutes sends arbitrary requests to a real server: no answer is a 5xx, no request
// panics, breaks off or hangs. The row of the table gives the address, unless path does.
func FuzzRoutes(f *testing.F) {
	h := newHouse(f, nil)
	table := h.api.Routes()
	slices.SortFunc(table, func(a, b server.Route) int {
		return strings.Compare(a.Pattern+a.Method+string(a.Verb), b.Pattern+b.Method+string(b.Verb))
	})
	for i, route := range table {
		r := h.request(f, route, "acme", "one")
		media := ""
		if len(route.Media) > 0 {
			media = route.Media[len(route.Media)-1]
		}
		var query url.Values = map[string][]string{}
		for _, p := range route.Query {
			query.Set(p.Name, map[string]string{"string": "All", "integer": "7", "boolean": "true"}[p.Type])
		}
		f.Add(uint16(i), r.method, "", "", media, "", []byte(r.body))
		f.Add(uint16(i), r.method, "", query.Encode(), "application/json", "a-key", []byte(r.body))
	}
	f.Add(uint16(0), "GET", "/apis/jobwright.dev/v1/namespaces/%00/jobs/%2e%2e%2f", "continue=%ff", "text/yaml", "\x7f", []byte("a: &a [*a]"))
	client := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 8},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	base, err := url.Parse(h.url)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, row uint16, method, path, query, media, key string, body []byte) {
		route := table[int(row)%len(table)]
		if path == "" {
			path = h.request(t, route, "acme", "one").path
			path, _, _ = strings.Cut(path, "?")
		} else if !strings.HasPrefix(path, "/") {
			path = strings.ReplaceAll(strings.ReplaceAll(route.Pattern, "{namespace}", path), "{name}", path)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, method, h.url, bytes.NewReader(body))
		if err != nil {
			return // no request at all
		}
		r.URL = &url.URL{Scheme: base.Scheme, Host: base.Host, Opaque: "//" + base.Host + path, RawQuery: query}
		r.Header.Set("Cookie", server.WorkspaceCookie+"=acme")
		if media != "" {
			r.Header.Set("Content-Type", media)
		}
		if key != "" {
			r.Header.Set("Idempotency-Key", key)
		}
		response, err := client.Do(r)
		if err != nil {
			if strings.Contains(err.Error(), "EOF") || ctx.Err() != nil {
				t.Fatalf("%s %s?%s: no answer: %v", method, path, query, err)
			}
			return // the client does not send it
		}
		defer response.Body.Close()
		if response.StatusCode >= http.StatusInternalServerError {
			answer, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
			t.Errorf("%s %s?%s %q: %s %s", method, path, query, body, response.Status, answer)
		}
	})
}

package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// get asks the handler for one path; headers are name, value, name, value and so on.
func get(t *testing.T, h http.Handler, method, target string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// assets returns every embedded file by its name below assets/.
func assets(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(embedded, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := embedded.ReadFile(name)
		files[strings.TrimPrefix(name, "assets/")] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestEveryEmbeddedFileIsServed(t *testing.T) {
	s := newSite(embedded)
	types := map[string]string{
		".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
		".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}
	files := assets(t)
	if len(files) < 10 {
		t.Fatalf("only %d files are embedded", len(files))
	}
	for name, content := range files {
		t.Run(name, func(t *testing.T) {
			target, cache := s.base+name, "public, max-age=31536000, immutable"
			if name == "index.html" {
				target, cache = root, "no-cache"
				content = strings.ReplaceAll(content, mark, s.base)
			}
			r := get(t, s, http.MethodGet, target)
			if r.StatusCode != http.StatusOK {
				t.Fatalf("GET %s: status %d", target, r.StatusCode)
			}
			if diff := cmp.Diff(content, body(t, r)); diff != "" {
				t.Errorf("body (-embedded +served):\n%s", diff)
			}
			want := map[string]string{
				"Content-Type": types[path.Ext(name)], "Cache-Control": cache, "Vary": "Accept-Encoding",
			}
			for k, v := range want {
				if got := r.Header.Get(k); got != v {
					t.Errorf("%s: %q, want %q", k, got, v)
				}
			}
			secure(t, r)

			etag := r.Header.Get("ETag")
			if again := get(t, s, http.MethodGet, target, "If-None-Match", etag); again.StatusCode != http.StatusNotModified {
				t.Errorf("with its own ETag %s: status %d, want 304", etag, again.StatusCode)
			}
			if head := get(t, s, http.MethodHead, target); head.StatusCode != http.StatusOK || body(t, head) != "" {
				t.Errorf("HEAD: status %d, or a body", head.StatusCode)
			}
			zipped := get(t, s, http.MethodGet, target, "Accept-Encoding", "br, gzip;q=0.8")
			if zipped.Header.Get("Content-Encoding") != "gzip" {
				return // too small to gain anything
			}
			if zipped.Header.Get("ETag") == etag {
				t.Error("the compressed body has the ETag of the plain one")
			}
			z, err := gzip.NewReader(zipped.Body)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := io.ReadAll(z)
			if err != nil || string(plain) != content {
				t.Errorf("compressed body differs (%v)", err)
			}
		})
	}
}

// secure checks the headers that every response of the package carries.
func secure(t *testing.T, r *http.Response) {
	t.Helper()
	want := map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	}
	for k, v := range want {
		if got := r.Header.Get(k); got != v {
			t.Errorf("%s: %q, want %q", k, got, v)
		}
	}
	csp := r.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(csp, part) {
			t.Errorf("Content-Security-Policy lacks %s: %s", part, csp)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy allows something unsafe: %s", csp)
	}
}

func TestOtherRequests(t *testing.T) {
	s := newSite(embedded)
	tests := map[string]struct {
		method, target string
		want           int
		header, value  string
	}{
		"an unknown path is not found":            {"GET", "/jobs/nothing", 404, "Cache-Control", "no-store"},
		"an unknown asset is not found":           {"GET", s.base + "nothing.js", 404, "Cache-Control", "no-store"},
		"an asset of another version":             {"GET", "/jobs/-/0000000000000000/main.js", 404, "Cache-Control", "no-store"},
		"the template itself is not served":       {"GET", s.base + "index.html", 404, "", ""},
		"no listing of the folder":                {"GET", s.base, 404, "", ""},
		"climbing out of the folder":              {"GET", s.base + "../../../etc/passwd", 404, "", ""},
		"a final slash leads to the page":         {"GET", "/jobs/", 308, "Location", "/jobs"},
		"writing to the page is not allowed":      {"POST", "/jobs", 405, "Allow", "GET, HEAD"},
		"deleting an asset is not allowed either": {"DELETE", s.base + "main.js", 405, "Allow", "GET, HEAD"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := get(t, s, tt.method, tt.target)
			if r.StatusCode != tt.want {
				t.Errorf("status %d, want %d", r.StatusCode, tt.want)
			}
			if tt.header != "" && r.Header.Get(tt.header) != tt.value {
				t.Errorf("%s: %q, want %q", tt.header, r.Header.Get(tt.header), tt.value)
			}
			secure(t, r)
		})
	}
}

func TestAcceptsGzip(t *testing.T) {
	tests := map[string]struct {
		header []string
		want   bool
	}{
		"nothing said":        {nil, false},
		"named":               {[]string{"gzip"}, true},
		"among others":        {[]string{"br, GZIP ;q=0.5"}, true},
		"in a second header":  {[]string{"br", "gzip"}, true},
		"refused":             {[]string{"gzip;q=0, br"}, false},
		"only a longer name":  {[]string{"x-gzip"}, false},
		"everything but gzip": {[]string{"br, deflate"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := acceptsGzip(tt.header); got != tt.want {
				t.Errorf("acceptsGzip(%q) = %v", tt.header, got)
			}
		})
	}
}

func TestThePageHoldsNothingThatItsPolicyForbids(t *testing.T) {
	forbidden := map[string]map[string]string{
		".html": {
			`<script(?:\s[^>]*)?>[^<]`:     "an inline script",
			`(?i)<style`:                   "an inline style sheet",
			`\sstyle=`:                     "an inline style",
			`\son[a-z]+=`:                  "an inline handler",
			`(?:src|href)="(?:https?:)?//`: "something from elsewhere",
		},
		".js": {
			`(?:inner|outer)HTML`: "parsing of HTML", `insertAdjacentHTML`: "parsing of HTML",
			`document\.write`: "parsing of HTML", `\beval\(`: "eval", `new Function`: "eval",
			`setAttribute\('style'`: "an inline style", `from 'https?:`: "something from elsewhere",
		},
		".css": {`@import`: "an import", `url\((?:["']?)(?:https?:)?//`: "something from elsewhere"},
	}
	for name, content := range assets(t) {
		for pattern, what := range forbidden[path.Ext(name)] {
			if found := regexp.MustCompile(pattern).FindString(content); found != "" {
				t.Errorf("%s: %s: %q", name, what, found)
			}
		}
	}
}

func TestEveryReferenceLeadsToAFile(t *testing.T) {
	s := newSite(embedded)
	files := assets(t)
	page := body(t, get(t, s, http.MethodGet, root))
	if strings.Contains(page, "ASSETS") {
		t.Error("the page still holds the mark of its assets")
	}
	var preloaded []string
	for _, m := range regexp.MustCompile(`(?:src|href)="(/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		if _, ok := s.files[m[1]]; !ok {
			t.Errorf("the page refers to %s, which is not served", m[1])
		}
		preloaded = append(preloaded, path.Base(m[1]))
	}
	imports := regexp.MustCompile(`from '\./([^']+)'`)
	for name, content := range files {
		if path.Ext(name) != ".js" {
			continue
		}
		if !slices.Contains(preloaded, name) {
			t.Errorf("%s is not preloaded, so it loads one round trip later than it could", name)
		}
		for _, m := range imports.FindAllStringSubmatch(content, -1) {
			if _, ok := files[m[1]]; !ok {
				t.Errorf("%s imports %s, which does not exist", name, m[1])
			}
		}
	}
}

func TestTheAddressOfAssetsFollowsTheirContent(t *testing.T) {
	tree := func(css string) fstest.MapFS {
		return fstest.MapFS{
			"assets/index.html": {Data: []byte(`<link href="` + mark + `a.css">`)},
			"assets/a.css":      {Data: []byte(css)},
		}
	}
	one, same, other := newSite(tree("a{}")), newSite(tree("a{}")), newSite(tree("b{}"))
	if one.base != same.base {
		t.Errorf("the same files have two addresses: %s, %s", one.base, same.base)
	}
	if one.base == other.base {
		t.Errorf("different files share the address %s", one.base)
	}
	if !bytes.Contains(one.files[root].body, []byte(one.base+"a.css")) {
		t.Errorf("the page does not refer to %s: %s", one.base, one.files[root].body)
	}
}

func TestAFileWithoutAContentTypeIsAnErrorOfTheBuild(t *testing.T) {
	defer func() {
		if r := recover(); r == nil {
			t.Error("no panic")
		}
	}()
	newSite(fstest.MapFS{"assets/a.woff": {Data: []byte("x")}})
}

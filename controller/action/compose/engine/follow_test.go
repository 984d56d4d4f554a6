package engine

import "testing"

func TestProgress(t *testing.T) {
	track := newTracker("up")
	for i, tc := range []struct {
		line string
		pct  int
		step string
		news bool
		text string
	}{
		{`{"id":"Network x_default","status":"Working","text":"Creating"}`, 0, "compose:up Network x_default", true, "Network x_default  Creating"},
		{`{"id":"Network x_default","status":"Done","text":"Created"}`, 95, "compose:up Network x_default", true, "Network x_default  Created"},
		{`{"id":"Container x-web-1","status":"Working","text":"Starting"}`, 47, "compose:up Container x-web-1", true, "Container x-web-1  Starting"},
		{`{"id":"Container x-web-1","status":"Working","text":"Starting"}`, 47, "compose:up Container x-web-1", false, "Container x-web-1  Starting"},
		{`{"id":"abc","parent_id":"Image y","status":"Working","text":"Downloading","percent":5}`, 47, "compose:up abc", false, "abc  Downloading"},
		{`{"error":true,"message":"no such image"}`, -1, "", true, "no such image"},
	} {
		e, ok := ParseEvent(tc.line)
		if !ok {
			t.Fatalf("line %d is not taken for progress", i)
		}
		pct, step, news := track.add(e)
		if pct != tc.pct || step != tc.step || news != tc.news || e.String() != tc.text {
			t.Errorf("line %d: %d, %q, %v, %q; want %+v", i, pct, step, news, e.String(), tc)
		}
	}
	for _, plain := range []string{"time=… level=warning", "{not json", "{}", ""} {
		if _, ok := ParseEvent(plain); ok {
			t.Errorf("%q is taken for progress", plain)
		}
	}
}

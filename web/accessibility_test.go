package web

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestByKeyboardAlone(t *testing.T) {
	server := startServer(t)
	server.create(t, "api_call", map[string]any{})
	server.create(t, "api_call", map[string]any{})
	tb := newTab(t)
	tb.open(server.url, "")
	tb.wait("two rows", `document.querySelectorAll('#rows li').length === 2`)

	tb.press(kb.Tab)
	tb.wait("the skip link, first and visible", `document.activeElement.id === 'skip' && document.activeElement.getBoundingClientRect().top >= 0`)
	tb.press(kb.Enter)
	tb.wait("the list to have the focus", `document.activeElement.id === 'list'`)

	tb.tabTo("#rows a")
	ring := eval[string](tb, `getComputedStyle(document.activeElement).outlineStyle`)
	if ring == "none" {
		t.Error("the row with the focus shows no ring")
	}
	tb.press(kb.ArrowDown)
	tb.wait("the second row", `document.activeElement === document.querySelectorAll('#rows a')[1]`)
	tb.press(kb.Enter)
	tb.wait("the job, with the focus on its title", `document.activeElement.id === 'detail-title'`)
	tb.press(kb.Escape)
	tb.wait("the way back to its row", `document.querySelector('#detail').hidden && document.activeElement === document.querySelectorAll('#rows a')[1]`)

	tb.open(server.url, "")
	tb.tabTo("#new")
	tb.press(kb.Enter)
	tb.wait("the form, with the focus in it", `document.querySelector('#create').open && document.activeElement.name === 'type'`)
	tb.press(kb.Escape)
	tb.wait("the form to close, the focus to return", `!document.querySelector('#create').open && document.activeElement.id === 'new'`)
	tb.press(kb.Enter)
	tb.wait("the form", `document.querySelector('#create').open`)
	tb.press(kb.ArrowDown + kb.ArrowDown)
	tb.wait("the fields of an API call", `document.querySelector('.fields[data-type=api_call]').checkVisibility() && document.querySelector('input[value=api_call]').checked`)
	tb.tabTo("#create-submit")
	tb.press(kb.Enter)
	tb.wait("the new job", `document.activeElement.id === 'detail-title' && document.querySelectorAll('#rows li').length === 3`)
	tb.wait("its end", `document.querySelector('#detail .phase').innerText === 'Succeeded'`)
	tb.tabTo("#detail .actions button:last-child")
	tb.press(kb.Enter)
	tb.wait("the question", `document.activeElement.matches('.danger')`)
	tb.press(kb.Enter)
	tb.wait("two rows", `document.querySelectorAll('#rows li').length === 2`)
	tb.wait("the focus not lost", `document.activeElement !== document.body`)
	tb.quiet()
}

// views are the states of the page that are looked at in every size and scheme.
var views = map[string]string{
	"list":   "#/jobs",
	"detail": "#/jobs/%s",
	"build":  "#/new/build",
	"deploy": "#/new/deploy",
	"call":   "#/new/api_call",
}

func TestOnAPhoneNothingIsWiderThanTheScreen(t *testing.T) {
	server := startServer(t)
	name := server.create(t, "build", map[string]any{"action": "a_tool_with_a_name_that_is_far_too_long_for_the_width_of_any_phone", "id": "no-such-builder"})
	tb := newTab(t)
	for _, width := range []int64{390, 320} {
		tb.size(width, 844, chromedp.EmulateMobile)
		for view, hash := range views {
			if view == "detail" {
				hash = fmt.Sprintf(hash, name)
			}
			tb.open(server.url, hash)
			tb.wait("the row", `document.querySelectorAll('#rows li').length === 1`)
			wide := eval[[]string](tb, `[...document.querySelectorAll('body *')].filter((e) => {
				if (!e.checkVisibility({visibilityProperty: true}) || e.closest('.sr, .word, .log, pre, svg')) return false;
				const r = e.getBoundingClientRect();
				return r.width > 1 && (r.right > innerWidth + 1 || r.left < -1);
			}).map((e) => e.tagName + '#' + e.id + '.' + e.className)`)
			if got := eval[int](tb, `Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)`); int64(got) > width || len(wide) > 0 {
				t.Errorf("%s at %d px: the page is %d px wide; beyond the edge: %v", view, width, got, wide)
			}
			small := eval[[]string](tb, `[...document.querySelectorAll('button, a, select, input:not([type=radio]), textarea, summary')].filter((e) => {
				const r = e.getBoundingClientRect();
				return e.checkVisibility({visibilityProperty: true}) && !e.closest('.skip') && r.height < 24;
			}).map((e) => e.outerHTML.slice(0, 90))`)
			if len(small) > 0 {
				t.Errorf("%s: too low for a finger: %v", view, small)
			}
		}
	}
	tb.quiet()
}

func TestAxeFindsNothingSerious(t *testing.T) {
	modules := os.Getenv("JOBWRIGHT_TEST_NPM")
	axe, err := os.ReadFile(filepath.Join(modules, "node_modules", "axe-core", "axe.min.js"))
	if modules == "" || err != nil {
		require(t, "no axe-core: npm install axe-core in a folder and name it in JOBWRIGHT_TEST_NPM")
	}
	server := startServer(t)
	server.create(t, "api_call", map[string]any{})
	name := server.create(t, "build", map[string]any{"action": "no_such_tool"})
	tb := newTab(t)
	tb.bypassPolicy()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			tb.scheme(scheme)
			tb.size(width, 844)
			for view, hash := range views {
				if view == "detail" {
					hash = fmt.Sprintf(hash, name)
				}
				tb.open(server.url, hash)
				tb.wait("both jobs to have ended", `document.querySelectorAll('#rows li[data-phase=Failed], #rows li[data-phase=Succeeded]').length === 2`)
				if view == "detail" {
					tb.wait("the conditions", `document.querySelector('#detail table')`)
				}
				eval[bool](tb, string(axe)+";true")
				found := eval[json.RawMessage](tb, `axe.run(document, {resultTypes: ['violations']}).then((r) =>
					r.violations.map((v) => ({impact: v.impact, id: v.id, nodes: v.nodes.slice(0, 3).map((n) => n.target + ' ' + (n.any[0]?.message || ''))})))`)
				var violations []struct {
					Impact, ID string
					Nodes      []string
				}
				if err := json.Unmarshal(found, &violations); err != nil {
					t.Fatal(err)
				}
				for _, v := range violations {
					t.Errorf("%s, %s, %d px: %s %s: %q", view, scheme, width, v.Impact, v.ID, v.Nodes)
				}
			}
		}
	}
}

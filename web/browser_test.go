package web

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience is how long the page may take for one step on a machine that is very busy.
const patience = 3 * time.Minute

// require skips the test with one line, or fails where nothing may be skipped.
func require(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	require(t, "no Chromium on PATH: apt-get install -y chromium")
	return ""
}

// tab is one browser tab, and what it wrote to its console.
type tab struct {
	*testing.T
	ctx context.Context

	mu      sync.Mutex
	console []string
}

// newTab starts a browser of its own with an empty profile.
func newTab(t *testing.T) *tab {
	t.Helper()
	alloc, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true))
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(alloc)
	t.Cleanup(closeTab)
	tb := &tab{T: t, ctx: ctx}
	tb.do(chromedp.Navigate("about:blank"))
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException || m.Type == chromedp.ConsoleWarning {
				tb.mu.Lock()
				tb.console = append(tb.console, fmt.Sprintf("%s %s:%d", m, m.URL, m.Line))
				tb.mu.Unlock()
			}
		}
	}()
	tb.size(1280, 800)
	return tb
}

func (tb *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	tb.Helper()
	if err := chromedp.Do(tb.ctx, steps...); err != nil {
		tb.Fatal(err)
	}
}

// eval returns what a JavaScript expression comes to.
func eval[T any](tb *tab, js string) T {
	tb.Helper()
	v, err := chromedp.Run(tb.ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		tb.Fatalf("%s: %v", js, err)
	}
	return v
}

// wait waits for an expression to be true, looked at once a frame. (chromedp.Poll
// makes a Function of its argument, which the page's policy forbids.)
func (tb *tab) wait(what, js string) {
	tb.Helper()
	ok := eval[bool](tb, fmt.Sprintf(`new Promise((resolve) => {
		const until = Date.now() + %d;
		const look = () => {
			let is = false;
			try { is = !!(%s); } catch { /* not there yet */ }
			if (is || Date.now() > until) resolve(is); else setTimeout(look, 15);
		};
		look();
	})`, patience.Milliseconds(), js))
	if !ok {
		tb.mu.Lock()
		console := strings.Join(tb.console, "\n")
		tb.mu.Unlock()
		tb.Fatalf("waited %v for: %s\nat %s, focus on %s\nthe console says: %s\nloaded: %s\nthe page says:\n%s", patience, what,
			eval[string](tb, `location.hash`), tb.focus(), console,
			eval[string](tb, `document.readyState + performance.getEntriesByType('resource').map((e) => '\n' + [e.name, Math.round(e.startTime), Math.round(e.responseEnd), e.responseStatus, e.transferSize].join(' ')).join('')`),
			eval[string](tb, `document.body.innerText`))
	}
}

// open loads the page with a hash, from scratch.
func (tb *tab) open(server, hash string) {
	tb.Helper()
	tb.do(chromedp.Navigate("about:blank"), chromedp.Navigate(server+root+hash))
	tb.wait("the page to be live", `document.querySelector('#link').dataset.state === 'live'`)
}

// click clicks as a person does: it scrolls there and presses the mouse.
func (tb *tab) click(css string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible)); err != nil {
		tb.Fatalf("click %s: %v", css, err)
	}
}

// fill puts a value into a field as if it had been pasted.
func (tb *tab) fill(css, value string) {
	tb.Helper()
	eval[bool](tb, fmt.Sprintf(`(() => {
		const field = document.querySelector(%q);
		field.focus();
		field.value = %q;
		field.dispatchEvent(new Event('input', {bubbles: true}));
		return true;
	})()`, css, value))
}

// press sends keys to whatever has the focus.
func (tb *tab) press(keys string, modifiers ...chromedp.Modifier) {
	tb.Helper()
	tb.do(chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

// tabTo presses Tab until an element that matches has the focus.
func (tb *tab) tabTo(css string) {
	tb.Helper()
	for range 60 {
		tb.press(kb.Tab)
		if eval[bool](tb, fmt.Sprintf(`!!document.activeElement?.matches(%q)`, css)) {
			return
		}
	}
	tb.Fatalf("60 times Tab do not lead to %s; the focus is on %s", css, tb.focus())
}

func (tb *tab) focus() string {
	tb.Helper()
	return eval[string](tb, `document.activeElement.outerHTML.slice(0, 200)`)
}

func (tb *tab) size(width, height int64, opts ...chromedp.EmulateViewportOption) {
	tb.Helper()
	tb.do(chromedp.EmulateViewport(width, height, opts...))
}

func (tb *tab) scheme(light string) {
	tb.Helper()
	_, err := chromedp.Call(tb.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: light}},
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// bypassPolicy lets a test's own script do what the page may not; it holds for
// pages loaded from now on.
func (tb *tab) bypassPolicy() {
	tb.Helper()
	if _, err := chromedp.Call(tb.ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}); err != nil {
		tb.Fatal(err)
	}
}

// quiet fails the test for anything the page wrote to its console.
func (tb *tab) quiet() {
	tb.Helper()
	// A round trip, so that what was written before it has arrived.
	if _, err := chromedp.Call(tb.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "1"}); err != nil {
		tb.Fatal(err)
	}
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for _, line := range tb.console {
		tb.Errorf("console: %s", line)
	}
}

package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// createThrough fills the form for a build and sends it.
func createThrough(tb *tab, action, id, variables string) {
	tb.Helper()
	tb.click("#new")
	tb.wait("the form", `document.querySelector('#create').open`)
	tb.fill("#build-server", "builders")
	tb.fill("#build-action", action)
	tb.fill("#build-id", id)
	tb.fill("#build-variables", variables)
	tb.click("#create-submit")
	tb.wait("the form to close", `!document.querySelector('#create').open`)
}

func TestAJobThroughTheForm(t *testing.T) {
	server := startServer(t)
	tb := newTab(t)
	tb.open(server.url, "")
	tb.wait("the empty state", `!document.querySelector('#empty').hidden && document.querySelector('#empty .command code')`)

	server.wantCommand(t, eval[string](tb, `document.querySelector('#empty .command code').innerText`))

	createThrough(tb, "apply_builder", "nextjs-api-route", `{"ROUTE_NAME": "health"}`)
	tb.wait("the job's own address", `/^#\/jobs\/\d{13}-[a-z0-9]{6}$/.test(location.hash)`)
	tb.wait("its row, as the chosen one", `document.querySelector('#rows a[aria-current]')`)
	tb.wait("the end of the job", `document.querySelector('#detail .phase').innerText === 'Succeeded'`)
	tb.wait("the row to say so", `document.querySelector('#rows li').dataset.phase === 'Succeeded'`)
	tb.wait("lines of its log", `document.querySelectorAll('#detail .line').length > 0`)
	tb.wait("its conditions", `document.querySelector('#detail table').innerText.includes('Complete')`)
	tb.wait("the title of the window", `document.title.startsWith('Succeeded · apply_builder nextjs-api-route')`)
	server.wantFile(t, "health")

	// What does not fit the tool is on the page, with what does.
	createThrough(tb, "apply_builder", "no-such-builder", "")
	tb.wait("the failure", `document.querySelector('#detail .phase').innerText === 'Failed'`)
	tb.wait("what fits", `document.querySelector('#detail .callout').innerText.includes('InvalidArguments') && document.querySelector('#detail .callout').innerText.includes('no-such-builder')`)
	if n := eval[int](tb, `document.querySelectorAll('#rows li').length`); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}

	// Filters: by phase, then by text; the address carries them.
	tb.click(`.chip[data-phase="Failed"]`)
	tb.wait("one row", `document.querySelectorAll('#rows li').length === 1 && location.hash.includes('phase=Failed')`)
	tb.do(chromedp.SendKeys(chromedp.CSS("#filter-text"), "no such words"))
	tb.wait("the filter's empty state", `document.querySelector('#empty-title').innerText.includes('filter')`)
	tb.click("#empty-do button")
	tb.wait("both rows", `document.querySelectorAll('#rows li').length === 2`)

	// Delete asks first.
	tb.click("#detail .actions button:last-child")
	tb.wait("the question", `document.querySelector('#detail .actions').innerText.includes('Delete it')`)
	tb.click("#detail .actions .danger")
	tb.wait("one row and no detail", `document.querySelectorAll('#rows li').length === 1 && document.querySelector('#detail').hidden`)
	tb.quiet()
}

func TestProgressLogAndCancel(t *testing.T) {
	server := startServer(t)
	action, arguments := server.slowTool(t)
	tb := newTab(t)
	tb.open(server.url, "#/new")
	tb.fill("#build-server", "slow")
	tb.fill("#build-action", action)
	tb.click("details.extra summary")
	tb.fill("#build-arguments", arguments)
	tb.click("#create-submit")
	tb.wait("progress between start and end", `(() => { const p = document.querySelector('#detail progress'); return p.checkVisibility() && p.value > 0 && p.value < 100; })()`)
	tb.wait("progress in the row", `document.querySelector('#rows progress').value > 0`)
	tb.wait("the window's title", `document.title.startsWith('Running')`)

	tb.click("#detail .actions button")
	tb.wait("the question, with the focus on its answer", `document.activeElement.matches('#detail .actions .danger')`)
	tb.press(kb.Escape)
	tb.wait("the question to go", `document.querySelector('#detail .actions').innerText.startsWith('Cancel')`)
	if eval[bool](tb, `document.querySelector('#detail').hidden`) {
		t.Fatal("Escape closed the job instead of the question")
	}
	tb.click("#detail .actions button")
	tb.click("#detail .actions .danger")
	tb.wait("the job to be canceled", `document.querySelector('#detail .phase').innerText === 'Canceled'`)
	tb.wait("it to be said aloud", `document.querySelector('#said').innerText.includes('Canceled')`)
	tb.quiet()
}

func TestALongLogIsBounded(t *testing.T) {
	server := startServer(t)
	server.slowTool(t) // the same MCP server has the tool echo
	name := server.create(t, "build", map[string]any{
		"server": "slow", "action": "echo",
		"arguments": map[string]any{"message": strings.Repeat("a line\n", 6000) + strings.Repeat("long ", 4000) + "\nthe end"},
	})
	tb := newTab(t)
	tb.open(server.url, "#/jobs/"+name)
	tb.wait("the end of the job", `document.querySelector('#detail .phase').innerText === 'Succeeded'`)
	tb.wait("the end of its log", `[...document.querySelectorAll('.line')].slice(-5).some((l) => l.textContent.includes('the end'))`)
	if n := eval[int](tb, `document.querySelectorAll('.line').length`); n > 5000 {
		t.Errorf("%d lines in the document", n)
	}
	if n := eval[int](tb, `Math.max(...[...document.querySelectorAll('.line .text')].map((e) => e.textContent.length))`); n > 9000 {
		t.Errorf("a line of %d characters in the document", n)
	}
	tb.wait("the view to be at the end", `(() => { const l = document.querySelector('.log'); return l.scrollHeight - l.scrollTop - l.clientHeight < 30; })()`)
	tb.quiet()
}

func TestWrongInputIsSaidAtItsField(t *testing.T) {
	server := startServer(t)
	tb := newTab(t)
	tb.open(server.url, "#/new")
	tb.fill("#build-variables", `{"A": `)
	tb.click("#create-submit")
	tb.wait("the complaint", `document.querySelector('#build-variables-error').innerText.startsWith('Not JSON')`)
	tb.wait("the focus at the field", `document.activeElement.id === 'build-variables' && document.activeElement.ariaInvalid === 'true'`)
	tb.fill("#build-variables", `[1]`)
	tb.click("#create-submit")
	tb.wait("the complaint", `document.querySelector('#build-variables-error').innerText.startsWith('A JSON object')`)
	tb.fill("#build-variables", ``)
	tb.fill("#build-action", ``)
	tb.click("#create-submit")
	tb.wait("the complaint", `document.querySelector('#build-action-error').innerText !== ''`)
	tb.quiet()

	// What only the server knows comes in the server's words.
	tb.fill("#build-action", strings.Repeat("a", 300))
	tb.click("#create-submit")
	tb.wait("the server's words", `document.querySelector('#create-error').checkVisibility() && document.querySelector('#create-error').innerText.includes('payload.action')`)
}

func TestTheServerGoesAndComesBack(t *testing.T) {
	server := startServer(t)
	first := server.create(t, "api_call", map[string]any{})
	tb := newTab(t)
	tb.open(server.url, "#/jobs/"+first)
	tb.wait("the row", `document.querySelectorAll('#rows li').length === 1`)

	server.stop(t)
	tb.wait("the loss to be said", `document.querySelector('#link-text').innerText.startsWith('Reconnecting')`)
	tb.wait("a way to try at once", `document.querySelector('#link-retry').checkVisibility()`)
	if n := eval[int](tb, `document.querySelectorAll('#rows li').length`); n != 1 {
		t.Errorf("%d rows while the server is away, want the 1 that was there", n)
	}
	server.start(t)
	second := server.create(t, "api_call", map[string]any{})
	tb.click("#link-retry")
	tb.wait("it to be live again", `document.querySelector('#link').dataset.state === 'live'`)
	tb.wait("what happened meanwhile", fmt.Sprintf(`document.querySelector('#rows li').dataset.name === %q`, second))
}

func TestWorkspacesAndDeepLinks(t *testing.T) {
	server := startServer(t)
	here := server.create(t, "api_call", map[string]any{})
	there := server.createIn(t, "acme", "api_call", map[string]any{"url": "http://127.0.0.1:1/there"})
	tb := newTab(t)
	tb.open(server.url, "#/jobs/"+here)
	tb.wait("the job of the address", fmt.Sprintf(`document.querySelector('#detail code').innerText === %q`, here))
	tb.wait("default to be the workspace when none was chosen", `document.cookie.includes('active_workspace=default')`)
	tb.wait("the other workspace in the picker", `[...document.querySelector('#workspace').options].some((o) => o.value === 'acme')`)
	tb.quiet()

	tb.open(server.url, "#/jobs/"+there)
	tb.wait("a job of another workspace not to be there", `document.querySelector('#detail .callout').innerText.includes('There is no such job')`)
	tb.do(chromedp.SetValue(chromedp.CSS("#workspace"), "acme"))
	eval[bool](tb, `document.querySelector('#workspace').dispatchEvent(new Event('change'))`)
	tb.wait("the other workspace's job alone", fmt.Sprintf(`document.querySelectorAll('#rows li').length === 1 && document.querySelector('#rows li').dataset.name === %q`, there))
	tb.click("#new")
	tb.wait("the form to name the workspace", `document.querySelector('#create-workspace').innerText === 'acme'`)
	tb.click("input[value=api_call]")
	tb.click("#create-submit")
	tb.wait("the new job in it", `document.querySelectorAll('#rows li').length === 2`)
	tb.do(chromedp.Reload())
	tb.wait("the choice to last", `document.querySelector('#workspace').value === 'acme' && document.querySelectorAll('#rows li').length === 2`)
}

func TestMarkupInDataStaysText(t *testing.T) {
	server := startServer(t)
	evil := `<img src=x onerror=alert(1)><script>alert(2)</script>`
	server.create(t, "build", map[string]any{"action": evil, "id": evil})
	tb := newTab(t)
	tb.open(server.url, "")
	tb.wait("the row", fmt.Sprintf(`document.querySelector('#rows .title').textContent.includes(%q)`, evil))
	tb.click("#rows a")
	tb.wait("the failure", `document.querySelector('#detail .phase').innerText === 'Failed'`)
	if n := eval[int](tb, `document.querySelectorAll('main img, main script').length`); n != 0 {
		t.Errorf("%d elements came out of data", n)
	}
	tb.quiet()
}

func TestThousandsOfJobs(t *testing.T) {
	server := startServer(t)
	const before, after = 450, 600
	for range before {
		server.create(t, "api_call", map[string]any{})
	}
	tb := newTab(t)
	tb.open(server.url, "")
	rows := func(n int) string { return fmt.Sprintf(`document.querySelectorAll('#rows li').length === %d`, n) }
	tb.wait("200 rows and no more", rows(200)+` && document.querySelector('#more-bar').checkVisibility()`)
	newest := eval[string](tb, `document.querySelector('#rows li').dataset.name`)
	tb.click("#more")
	tb.wait("400 rows", rows(400))
	tb.click("#more")
	tb.wait("all of them", rows(before)+` && !document.querySelector('#more-bar').checkVisibility()`)

	// Many arrive while somebody looks; the page keeps drawing.
	tb.open(server.url, "")
	eval[bool](tb, `(() => {
		let last = performance.now(); window.worst = 0;
		const frame = (now) => { window.worst = Math.max(window.worst, now - last); last = now; requestAnimationFrame(frame); };
		requestAnimationFrame(frame);
		return true;
	})()`)
	var last string
	for range after {
		last = server.create(t, "api_call", map[string]any{})
	}
	tb.wait("the newest on top", fmt.Sprintf(`document.querySelector('#rows li').dataset.name === %q`, last))
	tb.wait("it to have ended", `document.querySelector('#rows li').dataset.phase === 'Succeeded'`)
	tb.wait("200 rows still", rows(200))
	if newest == last {
		t.Error("nothing new came")
	}
	t.Logf("the longest a frame took while %d jobs came and ended: %.0f ms", after, eval[float64](tb, `window.worst`))
	tb.click("#more")
	tb.wait("400 rows without a gap", rows(400))
	tb.quiet()
}

// TestThePageSaysThatNoJobIsStarted: a server that ends gives running jobs their grace,
// and starts no other.
func TestThePageSaysThatNoJobIsStarted(t *testing.T) {
	server := startServer(t)
	server.stop(t)
	server.args = append(server.args, "--allow-private-addresses", "--shutdown-grace=10m")
	server.start(t)
	called, end := make(chan struct{}, 1), make(chan struct{})
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		called <- struct{}{}
		<-end
	}))
	defer target.Close()
	release := sync.OnceFunc(func() { close(end) })
	defer release()
	server.create(t, "api_call", map[string]any{"url": target.URL, "timeoutSeconds": 3600})
	<-called
	tb := newTab(t)
	tb.open(server.url, "")
	tb.wait("the running job", `document.querySelector('#rows li').dataset.phase === 'Running'`)
	tb.wait("no notice", `document.querySelector('#health').hidden`)
	tb.quiet()
	if err := server.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	tb.wait("what the server says", `document.querySelector('#health').checkVisibility() && document.querySelector('#health').innerText.includes('The server says: not ready: the worker stops: it starts no job any more')`)
	server.create(t, "api_call", map[string]any{})
	tb.wait("the job that waits", `document.querySelector('#rows li').dataset.phase === 'Queued'`)
	release()
	<-server.done
	server.start(t)
	tb.wait("the notice to go", `document.querySelector('#health').hidden`)
	tb.wait("the job that had waited", `document.querySelector('#rows li').dataset.phase === 'Succeeded'`)
}

// TestThePageLeavesNumbersAsTheyAreWritten: those of a form, and of a job that is run again.
func TestThePageLeavesNumbersAsTheyAreWritten(t *testing.T) {
	server := startServer(t)
	tb := newTab(t)
	tb.open(server.url, "")
	const numbers = `{"big": 12345678901234567890, "float": 1.0, "power": 1e3, "plain": 7}`
	for _, way := range []string{"the form", "a copy of the job"} {
		if way == "the form" {
			createThrough(tb, "apply_builder", "quota-check-lib", numbers)
		} else {
			tb.click("#detail .actions button:first-child")
			tb.wait("the form", `document.querySelector('#create').open`)
			before := eval[string](tb, `document.querySelector('#detail code').innerText`)
			tb.click("#create-submit")
			tb.wait("the new job", fmt.Sprintf(`location.hash.startsWith('#/jobs/1') && document.querySelector('#detail code').innerText !== %q`, before))
		}
		tb.wait("the end of the job", `document.querySelector('#detail .phase').innerText === 'Failed'`)
		id := strings.TrimPrefix(eval[string](tb, `location.hash`), "#/jobs/")
		if got := server.variables(t, id); got != `{"big":12345678901234567890,"float":1.0,"plain":7,"power":1e3}` {
			t.Errorf("by %s the variables are %s", way, got)
		}
	}
	tb.quiet()
}

// TestAnAnswerThatGotLostCreatesNothingTwice: the server has created the job, the page
// does not know, and the person tries again.
func TestAnAnswerThatGotLostCreatesNothingTwice(t *testing.T) {
	server := startServer(t)
	tb := newTab(t)
	tb.open(server.url, "#/new/api_call")
	tb.wait("the form", `document.querySelector('#create').open`)
	eval[bool](tb, `(() => {
		const real = window.fetch;
		window.fetch = async (path, options) => {
			const answer = await real(path, options);
			if (options?.method !== 'POST') return answer;
			window.fetch = real;
			throw new TypeError('the connection was lost');
		};
		return true;
	})()`)
	tb.click("#create-submit")
	tb.wait("the loss", `document.querySelector('#create-error').checkVisibility()`)
	tb.click("#create-submit")
	tb.wait("the job", `location.hash.startsWith('#/jobs/') && document.querySelector('#detail .phase').innerText === 'Succeeded'`)
	if n := eval[int](tb, `document.querySelectorAll('#rows li').length`); n != 1 {
		t.Errorf("%d jobs were created", n)
	}
	tb.click("#new")
	tb.wait("the form", `document.querySelector('#create').open`)
	tb.click("input[value=api_call]")
	tb.click("#create-submit")
	tb.wait("another job of the same kind", `document.querySelectorAll('#rows li').length === 2`)
}

// TestAJobThatBacksOffIsRetriedAtOnce: the button is there while the job waits for its next
// attempt, and begins that.
func TestAJobThatBacksOffIsRetriedAtOnce(t *testing.T) {
	server := startServer(t)
	job := `{"apiVersion": "jobwright.dev/v1", "kind": "Job", "metadata": {"name": "waits"}, "spec": {
		"apiCall": {"url": "http://127.0.0.1:1/refused"}, "backoffLimit": 5,
		"failurePolicy": {"rules": [{"action": "RetryAfter", "messagePattern": ".", "retryAfterSeconds": 3600}]}}}`
	r, err := http.Post(server.url+"/apis/jobwright.dev/v1/namespaces/default/jobs", "application/json", strings.NewReader(job))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusCreated {
		t.Fatalf("create: %s", r.Status)
	}
	tb := newTab(t)
	tb.open(server.url, "#/jobs/waits")
	const attempts = `[...document.querySelectorAll('#detail dt')].find((e) => e.innerText === 'Attempts')?.nextSibling?.innerText`
	tb.wait("the back-off", `document.querySelector('#detail .actions').innerText.startsWith('Retry now') && `+attempts+` === '1'`)
	tb.click("#detail .actions button")
	tb.wait("a second attempt, and the wait for the next", `document.querySelector('#detail .actions').innerText.startsWith('Retry now') && `+attempts+` === '2'`)
	tb.quiet()
}

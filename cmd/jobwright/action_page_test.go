package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestThePageHasAFormForAFourthAction writes the payload of an action that the page does
// not know, sees it refused and run, filters by its type and runs it once more.
func TestThePageHasAFormForAFourthAction(t *testing.T) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil && browser == "" {
			browser = found
		}
	}
	if browser == "" {
		if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" {
			t.Fatal("no Chromium on PATH: apt-get install -y chromium")
		}
		t.Skip("no Chromium on PATH: apt-get install -y chromium")
	}
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	address, stop := serveWith(t, t.TempDir(), napKinds(), napMaker(new(napper)))
	defer stop()
	alloc, end := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(browser), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-dev-shm-usage", true))
	defer end()
	ctx, closeTab := chromedp.NewContext(alloc)
	defer closeTab()
	p := napPage{t, ctx}
	p.do(chromedp.Navigate(address + "/jobs#/new/nap"))
	p.wait("the type to be offered and chosen", `document.querySelector('input[name=type][value=nap]').checked && !$('payload-nap').closest('.fields').hidden`)
	p.wait("the words of its descriptor", `document.querySelector('input[value=nap]').parentElement.textContent === 'Napwait a while'`)

	payload, submit := chromedp.CSS("#payload-nap"), chromedp.CSS("#create-submit")
	p.do(chromedp.SendKeys(payload, `{"milliseconds":`), chromedp.Click(submit, chromedp.NodeVisible))
	p.wait("what is no JSON to be refused at its field", `$('payload-nap-error').textContent.startsWith('Not JSON')`)
	p.do(chromedp.SendKeys(payload, ` 0}`), chromedp.Click(submit, chromedp.NodeVisible))
	p.wait("the server's refusal", `$('create-error').textContent.includes('payload.milliseconds: Invalid value: 0')`)
	p.do(chromedp.SetValue(payload, `{"milliseconds": 3}`), chromedp.Click(submit, chromedp.NodeVisible))
	p.wait("the job to be there and to succeed", `document.querySelector('#rows .phase').textContent.includes('Succeeded') && document.querySelector('#rows .title').textContent === 'nap 3'`)

	p.do(chromedp.Navigate(address + "/jobs#/jobs?type=nap"))
	p.wait("the filter to know the type", `$('filter-type').value === 'nap' && document.querySelectorAll('#rows a').length === 1`)
	p.do(chromedp.Click(chromedp.CSS("#rows a"), chromedp.NodeVisible))
	again := `[...document.querySelectorAll('#detail button')].find((b) => b.textContent.includes('again'))`
	p.wait("the job to be shown", again)
	p.wait("the button to be pressed", again+`.click() === undefined`)
	p.wait("its payload to be in the form", `$('payload-nap').value.replace(/\s/g, '') === '{"milliseconds":3}' && $('create').open`)
	p.do(chromedp.Click(submit, chromedp.NodeVisible))
	p.wait("a second job", `document.querySelectorAll('#rows a').length === 2`)
}

// napPage is the page in a browser.
type napPage struct {
	*testing.T
	ctx context.Context
}

func (p napPage) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

// wait waits for an expression to hold.
func (p napPage) wait(what, js string) {
	p.Helper()
	held, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](fmt.Sprintf(`new Promise((resolve) => {
		const $ = (id) => document.getElementById(id), until = Date.now() + %d;
		const look = () => {
			let is = false;
			try { is = !!(%s); } catch { /* not there yet */ }
			if (is || Date.now() > until) resolve(is); else setTimeout(look, 15);
		};
		look();
	})`, (3*time.Minute).Milliseconds(), js), chromedp.EvalAwaitPromise))
	if err != nil || !held {
		text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string](`location.hash + '\n' + document.body.innerText`))
		p.Fatalf("waited for %s: %v\n%s", what, err, text)
	}
}

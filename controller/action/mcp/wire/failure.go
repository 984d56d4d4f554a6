package wire

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"jobwright.dev/controller/action/outbound"
)

// bodyShown is how much of a body a message shows, in bytes: a sentence or two of a
// program, and the title of a page.
const bodyShown = 500

// Failure is why a request has no answer of the protocol.
type Failure struct {
	// Text describes the server's answer for a person; with Answered, after "it answered, but".
	Text string
	// Status is the HTTP response's; 0: there was none.
	Status int
	// RetryAfter is how long the server asked to wait; 0: it did not.
	RetryAfter time.Duration
	// Answered tells that the server took the request and that its answer cannot be used.
	Answered bool
	// Session tells that the server does not know the session.
	Session bool
}

func (f *Failure) Error() string {
	if f.Answered {
		return "it answered, but " + f.Text
	}
	return f.Text
}

// Unsent is the error of a round tripper below that has kept a request to itself, or knows
// that the server has not carried it out.
type Unsent interface {
	error
	Unsent()
}

// refused is the failure of a response that says by its status that it is no answer.
func (p *Peer) refused(response *http.Response, body []byte, now time.Time) *Failure {
	f := &Failure{Status: response.StatusCode, RetryAfter: outbound.RetryAfter(response.Header.Get("Retry-After"), now)}
	f.Session = response.StatusCode == http.StatusNotFound && response.Request != nil && response.Request.Header.Get(sessionHeader) != ""
	f.Text = "HTTP " + strconv.Itoa(response.StatusCode)
	if text := http.StatusText(response.StatusCode); text != "" {
		f.Text += " " + text
	}
	if challenge := challenged(response.Header.Get("WWW-Authenticate")); challenge != "" {
		f.Text += " (" + p.opts.Redact(challenge) + ")"
	}
	if location := response.Header.Get("Location"); location != "" {
		f.Text += fmt.Sprintf(", a redirect to %s, which would turn the call into a GET: put that url into the --mcp-config file", p.opts.Redact(short(location, bodyShown)))
	}
	f.Text += p.quoted(body)
	if advice := advice(response.StatusCode, f.Session); advice != "" {
		f.Text += "; " + advice
	}
	if f.RetryAfter > 0 {
		f.Text += fmt.Sprintf("; it asks to wait %s", f.RetryAfter.Round(time.Second))
	}
	return f
}

// unlike is the failure of a response that has a good status and no answer.
func (p *Peer) unlike(response *http.Response, kind string, body []byte) *Failure {
	f := &Failure{Status: response.StatusCode, Answered: !strings.Contains(kind, "html")}
	f.Text = fmt.Sprintf("with HTTP %d and %s, which is no message of the protocol%s", response.StatusCode, kind, p.quoted(body))
	if !f.Answered {
		f.Text = "it answered " + f.Text + "; that is a page for people, e.g. to sign in, or a proxy's: check url and headers in the --mcp-config file"
	}
	return f
}

// quoted is the beginning of a body, in one line.
func (p *Peer) quoted(body []byte) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "\uFFFD")), " ")
	if text == "" {
		return ""
	}
	return ": " + short(p.opts.Redact(text), bodyShown)
}

// advice tells an operator the remedy for a status.
func advice(status int, session bool) string {
	switch {
	case session:
		return "the server has ended the session"
	case status == http.StatusUnauthorized:
		return "it wants credentials, or others: set or renew them in the --mcp-config file"
	case status == http.StatusForbidden:
		return "it refuses these credentials or this client"
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return "check the url in the --mcp-config file"
	case status == http.StatusProxyAuthRequired:
		return "the proxy wants credentials: set them in HTTPS_PROXY"
	case status == http.StatusRequestEntityTooLarge:
		return "the arguments are larger than it takes"
	case status == http.StatusTooManyRequests:
		return "it takes no more calls for now"
	case status >= 500:
		return "the fault is the server's, or a proxy's before it"
	}
	return ""
}

var challengePart = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(error_description|error|realm)\s*=\s*"([^"]*)"`)
})

// challenged is the text of a challenge.
func challenged(header string) string {
	var parts []string
	for _, part := range challengePart().FindAllStringSubmatch(short(header, 2*bodyShown), -1) {
		parts = append(parts, part[2])
	}
	if len(parts) == 0 {
		scheme, _, _ := strings.Cut(header, " ")
		return short(scheme, 50)
	}
	return short(strings.Join(parts, ": "), bodyShown)
}

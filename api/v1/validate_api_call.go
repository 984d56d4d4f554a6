package v1

import (
	"cmp"
	"errors"
	"fmt"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Limits of an api_call, as its fields document them.
const (
	maxURL            = 8192
	maxHeaders        = 100
	maxExpectStatus   = 100
	maxAPICallTimeout = 3600
	maxPollInterval   = 3600
	maxPollTimeout    = 2_592_000
)

func validateAPICall(a *APICallAction, p *field.Path) field.ErrorList {
	errs := validateURL(a, p)
	if a.Method != "" && !slices.Contains(apiCallMethods(), a.Method) {
		errs = append(errs, field.NotSupported(p.Child("method"), a.Method, apiCallMethods()))
	}
	errs = append(errs, validateHeaders(a.Headers, p.Child("headers"))...)
	errs = append(errs, validateBodyRefs(a, p.Child("body"))...)
	errs = append(errs, validateEach(a.ExpectStatus, maxExpectStatus, p.Child("expectStatus"), validateStatusCode)...)
	errs = append(errs, validateExpect(a.Expect, p.Child("expect"))...)
	errs = append(errs, validateExtract(a.Result, p.Child("result"))...)
	errs = append(errs, validateRange(a.MaxRedirects, 0, maxRedirects, p.Child("maxRedirects"))...)
	errs = append(errs, validatePoll(a.Poll, p.Child("poll"))...)
	return append(errs, validateRange(a.TimeoutSeconds, 1, maxAPICallTimeout, p.Child("timeoutSeconds"))...)
}

// validateBodyRefs checks the references to secrets in the body of a call. That of a
// tracking record goes nowhere and is kept as it is.
func validateBodyRefs(a *APICallAction, p *field.Path) field.ErrorList {
	if a.Body == nil || a.URL == "" {
		return nil
	}
	refs, err := a.Body.SecretRefs()
	if err != nil {
		return field.ErrorList{field.Invalid(p, field.OmitValueType{}, err.Error())}
	}
	var errs field.ErrorList
	for _, ref := range refs {
		errs = append(errs, validateText(ref.Name, maxIdentifier, field.NewPath(p.String()+ref.Path).Child("valueFrom", "secretRef"))...)
	}
	return errs
}

func validatePoll(poll *APICallPoll, p *field.Path) field.ErrorList {
	if poll == nil {
		return nil
	}
	errs := validateText(poll.URL, maxURL, p.Child("url"))
	errs = append(errs, validateRange(poll.IntervalSeconds, 1, maxPollInterval, p.Child("intervalSeconds"))...)
	errs = append(errs, validateRange(poll.TimeoutSeconds, 1, maxPollTimeout, p.Child("timeoutSeconds"))...)
	errs = append(errs, validateEach(poll.Done, maxExpectations, p.Child("done"), validateBodyExpectation)...)
	return append(errs, validateEach(poll.Failed, maxExpectations, p.Child("failed"), validateBodyExpectation)...)
}

func apiCallMethods() []string {
	return []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
}

// validateURL checks the target. Without one the job is a tracking record, whose
// body is kept as its data; anything else that describes a call means that the
// URL was forgotten.
func validateURL(a *APICallAction, path *field.Path) field.ErrorList {
	p := path.Child("url")
	if a.URL == "" {
		if a.Method != "" || len(a.Headers) > 0 || len(a.ExpectStatus) > 0 || a.TimeoutSeconds != nil ||
			a.Expect != nil || len(a.Result) > 0 || a.MaxRedirects != nil || a.Poll != nil {
			return field.ErrorList{field.Required(p, "a call needs it; a tracking record has neither method, headers, expectations, poll nor timeoutSeconds")}
		}
		return nil
	}
	return validateAbsoluteURL(a.URL, "; send them in headers.Authorization", p)
}

// validateAbsoluteURL checks a URL that is called; instead says what to do with the
// user and password that it must not hold.
func validateAbsoluteURL(text, instead string, p *field.Path) field.ErrorList {
	errs := validateText(text, maxURL, p)
	u, err := url.Parse(text)
	_, escape := errors.AsType[url.EscapeError](err)
	switch {
	case escape:
		return append(errs, field.Invalid(p, field.OmitValueType{}, "has a % that two hexadecimal digits must follow: write %25 for a percent sign"))
	case err != nil:
		// The parser's error repeats the URL, which may hold a password.
		return append(errs, field.Invalid(p, field.OmitValueType{}, "must be an absolute http or https URL"))
	case u.User != nil:
		return append(errs, field.Invalid(p, u.Redacted(), "must not contain user or password"+instead))
	case u.Scheme != "http" && u.Scheme != "https":
		errs = append(errs, field.Invalid(p, text, "must start with http:// or https://"))
	case u.Hostname() == "":
		errs = append(errs, field.Invalid(p, text, "must name a host"))
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			errs = append(errs, field.Invalid(p, text, "must have a port between 1 and 65535"))
		}
	}
	return errs
}

func validateStatusCode(code int32, p *field.Path) field.ErrorList {
	return validateRange(&code, 200, 599, p)
}

// refusedHeaders are those that belong to one connection (RFC 9110, 7.6.1), and
// those that the call itself sets.
func refusedHeaders() map[string]string {
	const hop = "belongs to one connection and is set by it"
	return map[string]string{
		"Connection": hop, "Keep-Alive": hop, "Proxy-Authenticate": hop, "Proxy-Authorization": hop, "Proxy-Connection": hop,
		"Te": hop, "Trailer": hop, "Transfer-Encoding": hop, "Upgrade": hop,
		"Content-Length":    "follows from body",
		"Host":              "follows from url",
		"Jobwright-Attempt": "is set to the attempt's number",
	}
}

func validateHeaders(headers map[string]HeaderValue, p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(headers) == 0 {
		return nil
	}
	if len(headers) > maxHeaders {
		errs = append(errs, field.TooMany(p, len(headers), maxHeaders))
	}
	names := make([]string, 0, len(headers))
	for name := range headers {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
	})
	refused := refusedHeaders()
	last := ""
	for _, name := range names {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch why := refused[canonical]; {
		case !isToken(name):
			errs = append(errs, field.Invalid(p.Key(name), name, "is not a valid header name"))
		case why != "":
			errs = append(errs, field.Forbidden(p.Key(name), fmt.Sprintf("%s %s", canonical, why)))
		case canonical == last:
			errs = append(errs, field.Duplicate(p.Key(name), canonical))
		}
		last = canonical
		if !isHeaderValue(headers[name].Value) {
			// The value may be a credential, so it is not repeated.
			errs = append(errs, field.Invalid(p.Key(name), field.OmitValueType{}, "the value must not contain control characters"))
		}
		if from := headers[name].ValueFrom; from != nil {
			errs = append(errs, validateSource(from, p.Key(name).Child("valueFrom"))...)
		}
	}
	return errs
}

// isToken is RFC 9110's token: what a header's name may consist of.
func isToken(s string) bool {
	const marks = "!#$%&'*+-.^_`|~"
	for _, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte(marks, c) < 0 {
			return false
		}
	}
	return s != ""
}

// isHeaderValue is RFC 9110's field value: visible characters, spaces and tabs.
func isHeaderValue(s string) bool {
	for _, c := range []byte(s) {
		if c < 0x20 && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

func validateSource(from *ValueSource, p *field.Path) field.ErrorList {
	if from.SecretRef == "" {
		return field.ErrorList{field.Required(p.Child("secretRef"), "name a secret of the operator's file")}
	}
	return validateText(from.SecretRef, maxIdentifier, p.Child("secretRef"))
}

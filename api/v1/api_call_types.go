package v1

// APICallAction is one HTTP request and what to expect of its response.
type APICallAction struct {
	// url is the absolute http or https URL to call, without user and password.
	// Unset: a tracking record, which succeeds as soon as it may start and may carry nothing but
	// a body.
	// +optional
	// +kubebuilder:validation:MaxLength=8192
	URL string `json:"url,omitempty"`

	// method is the HTTP method. Unset: POST when body is set, else GET.
	// +optional
	// +kubebuilder:validation:Enum=GET;HEAD;POST;PUT;PATCH;DELETE;OPTIONS
	Method string `json:"method,omitempty"`

	// headers are sent with the request, each a string or {valueFrom: {secretRef:
	// NAME}}. Hop-by-hop headers, Host, Content-Length and Jobwright-Attempt are
	// refused. Unset: none but Idempotency-Key, which is the same for every attempt of
	// one run and another for the next run; a value given here is sent instead.
	// +optional
	// +kubebuilder:validation:MaxProperties=100
	Headers map[string]HeaderValue `json:"headers,omitempty"`

	// body is the request's body: a JSON string is sent as its text, any other
	// JSON value as JSON with Content-Type application/json unless headers say
	// otherwise. Where a string may stand, {valueFrom: {secretRef: NAME}} stands for
	// the secret's value. Unset: no body.
	// +optional
	Body *JSON `json:"body,omitempty"`

	// expectStatus lists the status codes that mean success. Unset: any 2xx.
	// +optional
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:Minimum=200
	// +kubebuilder:validation:items:Maximum=599
	// +listType=set
	ExpectStatus []int32 `json:"expectStatus,omitempty"`

	// expect is what is expected of the response beside its status; when it is not so the
	// call has failed with reason UnexpectedResponse. Unset: nothing.
	// +optional
	Expect *APICallExpect `json:"expect,omitempty"`

	// result is taken from the JSON body of a response that is as expected, into
	// status.result.values: by name, each a JSONPath as in expect.body. A path that leads
	// nowhere fails the call. 64 KiB in all. Unset: nothing.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	Result map[string]string `json:"result,omitempty"`

	// maxRedirects is how many redirects are followed; 0: a redirect is the response.
	// After 301, 302 and 303 the request goes on as GET without its body, after 307 and
	// 308 with its method and body. headers and body go along to the same host only, and
	// never from https to http. Unset: 10, but a redirect that would turn a request other
	// than GET and HEAD into GET fails the call.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10
	MaxRedirects *int32 `json:"maxRedirects,omitempty"`

	// timeoutSeconds bounds the whole call, from connecting to the last byte of
	// the response. Unset: 30.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`

	// poll says that the response only begins an operation, whose end is waited for
	// by asking for its state. expect and result are then about the last answer, and
	// timeoutSeconds bounds each request. Unset: the response is the outcome.
	// +optional
	Poll *APICallPoll `json:"poll,omitempty"`
}

// APICallPoll is how the end of an operation is waited for. After a crash, and in a
// retry of the same run, the operation is asked about further and the request that began
// it is not sent again.
type APICallPoll struct {
	// url is where the state of the operation is asked for by GET, absolute or relative
	// to the call's url. What stands in braces is a JSONPath into the response that began
	// the operation, e.g. "/v1/{.name}" or "{.links.status}". headers go along to the
	// host of the call only. Unset: the header Operation-Location or
	// Azure-AsyncOperation, else the Location header of a response with status 202;
	// another response is the outcome at once.
	// +optional
	// +kubebuilder:validation:MaxLength=8192
	URL string `json:"url,omitempty"`

	// intervalSeconds is how long to wait between two questions. A longer Retry-After is
	// honoured. Unset: 5.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	IntervalSeconds *int32 `json:"intervalSeconds,omitempty"`

	// timeoutSeconds is how long the operation may take from its begin, over all attempts
	// of a run; then the attempt has failed with reason Timeout. Unset: 3600.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2592000
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`

	// done are conditions on the JSON of an answer; the operation has ended when all of
	// them hold. A path that leads nowhere does not hold. Unset: the member status of the
	// answer says it where it is one of NotStarted, Running, InProgress, Succeeded, Failed
	// and Canceled; else it has ended with the first 2xx answer other than 202.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	Done []BodyExpectation `json:"done,omitempty"`

	// failed are conditions on the JSON of an answer; the operation has failed when one
	// of them holds. They are asked before done. Unset: none, but for that status where
	// done is unset too.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	Failed []BodyExpectation `json:"failed,omitempty"`
}

// APICallExpect is what is expected of a response beside its status. Everything in it must
// hold.
type APICallExpect struct {
	// headers are expected by name; each value is a regular expression (RE2) that one of
	// the header's values must match somewhere. Unset: none.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	Headers map[string]string `json:"headers,omitempty"`

	// body are expectations on the body, which must be JSON then and no larger than the
	// operator's --max-response-bytes. Unset: none.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	Body []BodyExpectation `json:"body,omitempty"`
}

// BodyExpectation is what is expected of one place in a JSON body.
type BodyExpectation struct {
	// path is a JSONPath as kubectl has it, e.g. "{.status.ready}"; braces, "$" and the
	// first dot may be left out. It must lead to something. Required.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Path string `json:"path"`

	// equals is the JSON value that what is found must be; of several, one of them.
	// Unset: any value.
	// +optional
	Equals *JSON `json:"equals,omitempty"`

	// matches is a regular expression (RE2) that what is found must match somewhere: a
	// string's text, or the JSON of anything else. Unset: any value.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Matches string `json:"matches,omitempty"`
}

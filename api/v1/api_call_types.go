package v1

// APICallAction is one HTTP request and what to expect of its response.
type APICallAction struct {
	// url is the absolute http or https URL to call, without user and password.
	// Unset: a tracking record, which succeeds at once and may carry nothing but
	// a body.
	// +optional
	// +kubebuilder:validation:MaxLength=8192
	URL string `json:"url,omitempty"`

	// method is the HTTP method. Unset: POST when body is set, else GET.
	// +optional
	// +kubebuilder:validation:Enum=GET;HEAD;POST;PUT;PATCH;DELETE;OPTIONS
	Method string `json:"method,omitempty"`

	// headers are sent with the request. Hop-by-hop headers, Host, Content-Length
	// and Idempotency-Key are refused. Unset: none.
	// +optional
	// +kubebuilder:validation:MaxProperties=100
	Headers map[string]string `json:"headers,omitempty"`

	// body is the request's body: a JSON string is sent as its text, any other
	// JSON value as JSON with Content-Type application/json unless headers say
	// otherwise. Unset: no body.
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
	// headers go along to the same host only, and never from https to http. Unset: 10.
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

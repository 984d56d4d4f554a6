package v1

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

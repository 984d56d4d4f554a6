package v1

func apiCallPayload() Payload {
	return DefinePayload(Payload{
		Type: JobTypeAPICall, Field: "apiCall", Command: "api-call", Title: "API call", About: "send a request, or just record",
		RecordWithout: "url",
		Facts:         []Fact{FactHTTPStatus},
		IdleLimit: func(s *JobSpec) string {
			if s.IsRecord() {
				return ""
			}
			return "spec.apiCall.timeoutSeconds for each request (unset: 30)"
		},
	}, PayloadStrategy[APICallAction]{
		In:       func(s *JobSpec) **APICallAction { return &s.APICall },
		Validate: validateAPICall,
		KeepTexts: func(c, was *APICallAction) {
			c.Body.keepText(was.Body)
			if c.Expect != nil && was.Expect != nil {
				keepTextsOf(c.Expect.Body, was.Expect.Body)
			}
			if c.Poll != nil && was.Poll != nil {
				keepTextsOf(c.Poll.Done, was.Poll.Done)
				keepTextsOf(c.Poll.Failed, was.Poll.Failed)
			}
		},
	})
}

// IsRecord reports whether the job is a tracking record, which has no side effect.
func (s *JobSpec) IsRecord() bool {
	return s.Type == JobTypeAPICall && (s.APICall == nil || s.APICall.URL == "")
}

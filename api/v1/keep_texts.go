package v1

// keepTexts gives each JSON value of a spec that is the same as before the text that it had:
// a client that shows an object and applies what it has shown has sorted the keys, and has
// changed nothing.
func keepTexts(s, was *JobSpec) {
	if b, old := s.Build, was.Build; b != nil && old != nil {
		keepTextsIn(b.Variables, old.Variables)
		keepTextsIn(b.Arguments, old.Arguments)
		keepTextsIn(b.Answers, old.Answers)
	}
	if c, old := s.APICall, was.APICall; c != nil && old != nil {
		c.Body.keepText(old.Body)
		if c.Expect != nil && old.Expect != nil {
			keepTextsOf(c.Expect.Body, old.Expect.Body)
		}
		if c.Poll != nil && old.Poll != nil {
			keepTextsOf(c.Poll.Done, old.Poll.Done)
			keepTextsOf(c.Poll.Failed, old.Poll.Failed)
		}
	}
}

func keepTextsIn(values, was map[string]JSON) {
	for name, value := range values {
		old, ok := was[name]
		if ok && value.keepText(&old) {
			values[name] = value
		}
	}
}

func keepTextsOf(expected, was []BodyExpectation) {
	for i := range min(len(expected), len(was)) {
		expected[i].Equals.keepText(was[i].Equals)
	}
}

// keepText gives j the text of was, if both are the same value.
func (j *JSON) keepText(was *JSON) bool {
	if j == nil || was == nil || !j.Equal(*was) {
		return false
	}
	j.Raw = was.Raw
	return true
}

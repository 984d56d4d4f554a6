package v1

// keepTexts gives each JSON value of a spec that is the same as before the text that it had:
// a client that shows an object and applies what it has shown has sorted the keys, and has
// changed nothing.
func keepTexts(s, was *JobSpec) {
	for _, p := range ourPayloads() {
		p.keepTexts(s, was)
	}
	for name := range s.Custom {
		keepCustomText(name)(s, was)
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

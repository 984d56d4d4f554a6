package v1

// keepTexts restores the text of each JSON value of a spec that is equal to the old value. A
// client that reads and applies an object sorts the keys, which must not count as a change.
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

// keepText replaces the text of j by that of was if both are the same value.
func (j *JSON) keepText(was *JSON) bool {
	if j == nil || was == nil || !j.Equal(*was) {
		return false
	}
	j.Raw = was.Raw
	return true
}

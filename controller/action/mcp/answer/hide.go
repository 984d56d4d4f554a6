package answer

import "encoding/json"

// Hide replaces secrets, by text in words and by value in JSON. Exact keeps the
// structured answer as it was.
func (r *Reply) Hide(text func(string) string, value func(json.RawMessage) json.RawMessage) {
	for i := range r.Content {
		c := &r.Content[i]
		c.Text, c.Name, c.URI, c.MIMEType = text(c.Text), text(c.Name), text(c.URI), text(c.MIMEType)
	}
	r.Exact = r.Structured
	r.Structured = value(r.Structured)
	for _, said := range [][]string{r.Odd, r.Remarks, r.Changes} {
		for i := range said {
			said[i] = text(said[i])
		}
	}
	if len(r.Odd) == 0 && len(r.Changes) == 0 {
		return // nobody shows it as it was written
	}
	r.Raw = json.RawMessage(text(string(r.Raw)))
	r.Written = []byte(text(string(r.Written)))
}

package answer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The types of content.
const (
	Text     = "text"
	Image    = "image"
	Audio    = "audio"
	Link     = "resource_link"
	Resource = "resource"
)

// maxUnread bounds how much of an item is shown that cannot be read.
const maxUnread = 4 << 10

// Content is one item of an answer.
type Content struct {
	// Type is one of the types above, or whatever the server wrote.
	Type string
	// Text is the text of a text or a resource, and the JSON of an item that cannot be read.
	Text string
	// Name, URI and MIMEType describe the item, or the target of a link.
	Name, URI, MIMEType string
	// Size is the number of bytes of the item, or of the target of a link; -1: unknown.
	Size int64
}

// wireContent has the members of all types.
type wireContent struct {
	Type     json.RawMessage `json:"type"`
	Text     json.RawMessage `json:"text"`
	Data     json.RawMessage `json:"data"`
	MIMEType json.RawMessage `json:"mimeType"`
	URI      json.RawMessage `json:"uri"`
	Name     json.RawMessage `json:"name"`
	Size     json.RawMessage `json:"size"`
	Resource json.RawMessage `json:"resource"`
	Blob     json.RawMessage `json:"blob"`
}

// item reads one item of content.
func (a *Answer) item(i int, raw json.RawMessage) Content {
	number := fmt.Sprintf("content[%d]", i)
	var w wireContent
	if raw[0] != '{' || json.Unmarshal(raw, &w) != nil {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			if there(raw) {
				a.odd("%s is a string, not an object", number)
			}
			return Content{Type: Text, Text: text, Size: -1}
		}
		a.odd("%s is %s, not an object", number, kind(raw))
		return Content{Type: kind(raw), Text: shown(raw), Size: -1}
	}
	c := Content{
		Type: a.words(number+".type", w.Type), Name: a.words(number+".name", w.Name),
		URI: a.words(number+".uri", w.URI), MIMEType: a.words(number+".mimeType", w.MIMEType), Size: -1,
	}
	switch c.Type {
	case Text:
		c.Text = a.words(number+".text", w.Text)
	case Image, Audio:
		c.Size = a.bytes(number+".data", w.Data)
	case Link:
		c.Size = size(w.Size)
	case Resource:
		a.resource(number+".resource", w.Resource, &c)
	default:
		if there(w.Text) && !there(w.Data) && c.Type == "" {
			a.odd("%s has no type", number)
			c.Type, c.Text = Text, a.words(number+".text", w.Text)
			return c
		}
		a.odd("%s has the type %q, which nobody knows", number, c.Type)
		c.Text = shown(raw)
	}
	return c
}

// resource reads an embedded resource.
func (a *Answer) resource(at string, raw json.RawMessage, c *Content) {
	var w wireContent
	if !there(raw) || json.Unmarshal(raw, &w) != nil {
		a.odd("%s is %s, not an object", at, kind(raw))
		c.Text = shown(raw)
		return
	}
	c.URI, c.MIMEType = a.words(at+".uri", w.URI), cmp.Or(a.words(at+".mimeType", w.MIMEType), c.MIMEType)
	c.Text = a.words(at+".text", w.Text)
	c.Size = int64(len(c.Text))
	if there(w.Blob) {
		c.Size = max(c.Size, a.bytes(at+".blob", w.Blob))
	}
}

// words is a string; of another value its JSON.
func (a *Answer) words(at string, raw json.RawMessage) string {
	var text string
	if !there(raw) || json.Unmarshal(raw, &text) == nil {
		return text
	}
	a.odd("%s is %s, not a string", at, kind(raw))
	return shown(raw)
}

// size is a number of bytes.
func size(raw json.RawMessage) int64 {
	var n json.Number
	if json.Unmarshal(raw, &n) != nil {
		return -1
	}
	if exact, err := n.Int64(); err == nil && exact >= 0 {
		return exact
	}
	return -1
}

// bytes is how many bytes base64 holds, in any alphabet, with line ends and with or
// without padding. They are counted, not decoded.
func (a *Answer) bytes(at string, raw json.RawMessage) int64 {
	var text string
	if json.Unmarshal(raw, &text) != nil || !there(raw) {
		a.odd("%s is %s, not a string in base64", at, kind(raw))
		return -1
	}
	var digits, padding, spaces int
	var url, wrong bool
	for _, c := range []byte(text) {
		switch {
		case c == '\n' || c == '\r' || c == ' ' || c == '\t':
			spaces++
		case c == '=':
			padding++
		case c == '-' || c == '_':
			url = true
			digits++
		case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/':
			digits++
		default:
			wrong = true
		}
	}
	var odd []string
	if url {
		odd = append(odd, "in the alphabet for URLs")
	}
	if spaces > 0 {
		odd = append(odd, "over several lines")
	}
	if !slices.Contains([]int{0, 4}, digits%4+padding) {
		odd = append(odd, "without its padding")
	}
	switch {
	case wrong || digits%4 == 1:
		a.odd("%s is no base64", at)
		return int64(len(text))
	case len(odd) > 0:
		a.odd("%s is base64 %s", at, strings.Join(odd, ", "))
	}
	return int64(digits) * 6 / 8
}

// shown is a value's JSON, cut off where it is long.
func shown(raw json.RawMessage) string {
	if len(raw) <= maxUnread {
		return string(raw)
	}
	return string(raw[:maxUnread]) + "…"
}

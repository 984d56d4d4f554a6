package outcome

import (
	"cmp"
	"encoding/json"
	"fmt"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp/answer"
)

// render is content as text.
func render(c answer.Content) string {
	size := ""
	if c.Size >= 0 {
		size = fmt.Sprintf(", %d bytes", c.Size)
	}
	switch c.Type {
	case answer.Image, answer.Audio:
		return fmt.Sprintf("(%s, %s%s)", c.Type, c.MIMEType, size)
	case answer.Link:
		return fmt.Sprintf("(resource %s)", c.URI)
	case answer.Resource:
		switch {
		case c.Text != "":
			return c.Text
		case c.URI == "" && c.Size <= 0:
			return "(an empty resource)"
		}
		return fmt.Sprintf("(resource %s%s)", c.URI, size)
	}
	return c.Text
}

// artifacts are the artifacts of an answer: the files that structured content names,
// {"files":[{"path":…}]}, and the content that is no text. Their data is not kept.
func artifacts(read *answer.Answer) []v1.Artifact {
	var out []v1.Artifact
	add := func(a v1.Artifact) {
		if a.Name != "" && len(out) < maxArtifacts {
			out = append(out, a)
		}
	}
	for i, c := range read.Content {
		number := fmt.Sprintf("content[%d]", i)
		a := v1.Artifact{URI: c.URI, MimeType: c.MIMEType, SizeBytes: max(c.Size, 0)}
		switch c.Type {
		case answer.Image, answer.Audio:
			a.Name = number
		case answer.Link:
			a.Name = cmp.Or(c.Name, c.URI, number)
		case answer.Resource:
			if a.Name = cmp.Or(c.URI, number); c.URI == "" && c.Size <= 0 {
				continue // it holds nothing
			}
		default:
			continue
		}
		add(a)
	}
	var named struct {
		Files []struct {
			Path string `json:"path"`
			URI  string `json:"uri"`
		} `json:"files"`
	}
	if json.Unmarshal(read.Structured, &named) != nil {
		return out
	}
	for _, file := range named.Files {
		if file.Path != "" {
			add(v1.Artifact{Name: file.Path, URI: file.URI})
		}
	}
	return out
}

package mcp

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/schema"
	"jobwright.dev/controller/action/process"
)

const (
	// maxResult bounds what of a tool's answer stands in the job's status; all of it is
	// in the log.
	maxResult = 64 << 10
	// maxMessage bounds what of a tool's error stands in the job's message.
	maxMessage = 4 << 10
	// maxArtifacts bounds how many files a status names.
	maxArtifacts = 1000
)

// finish makes an outcome of a tool's answer, whose content goes to the log. output is
// the tool's output schema; nil: it has none.
func finish(result *sdk.CallToolResult, tool string, output *schema.Schema, out action.Sink) action.Outcome {
	var texts []string
	for _, content := range result.Content {
		text := render(content)
		texts = append(texts, text)
		logged(out, text)
	}
	said := strings.TrimSpace(strings.Join(texts, "\n"))
	outcome := action.Outcome{Verdict: action.Succeeded, Artifacts: artifacts(result)}
	structured, err := v1.NewJSON(result.StructuredContent)
	there := err == nil && result.StructuredContent != nil
	if there && !repeated(structured, texts) {
		logged(out, string(structured.Raw)) // the server has not said it in words
	}
	switch {
	case there && len(structured.Raw) <= maxResult:
		outcome.Result = &structured
	case there:
		outcome.Message = fmt.Sprintf("The structured result of tool %s has %d bytes, and a status keeps %d; all of it is in the log.", tool, len(structured.Raw), maxResult)
		out.Line(action.System, outcome.Message)
	case said != "":
		if text, err := v1.NewJSON(map[string]string{"text": clip(said, maxResult)}); err == nil {
			outcome.Result = &text
		}
	}
	if result.IsError {
		if said == "" {
			said = fmt.Sprintf("Tool %s reported an error without a word about it.", tool)
		}
		if !there {
			outcome.Result = nil // the message has the words
		}
		outcome.Verdict, outcome.Reason, outcome.ToolError = action.Failed, v1.ReasonToolError, true
		outcome.Message = clip(said, maxMessage)
		return outcome
	}
	if wrong := misfit(result, tool, output); wrong != "" {
		outcome.Verdict, outcome.Reason, outcome.Message = action.Failed, v1.ReasonProtocolError, wrong
	}
	return outcome
}

// logged writes a text to the job's log. A reader of memory does not fail.
func logged(out action.Sink, text string) {
	_ = process.Lines(strings.NewReader(text), func(line string) { out.Line(action.Content, line) })
}

// repeated reports whether one of the texts is the structured answer, as servers send it
// for clients of before 2025-06-18.
func repeated(structured v1.JSON, texts []string) bool {
	for _, text := range texts {
		if json.Valid([]byte(text)) && structured.Equal(v1.JSON{Raw: json.RawMessage(text)}) {
			return true
		}
	}
	return false
}

// misfit says how an answer does not fit the tool's output schema; empty: it does. The
// tool has done its work, but whoever counts on the result would be misled.
func misfit(result *sdk.CallToolResult, tool string, output *schema.Schema) string {
	if output == nil {
		return ""
	}
	if result.StructuredContent == nil {
		return fmt.Sprintf("Tool %s answered without structuredContent, which its output schema promises.", tool)
	}
	data, err := json.Marshal(result.StructuredContent)
	if err != nil {
		return fmt.Sprintf("The answer of tool %s is no JSON: %v", tool, err)
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return fmt.Sprintf("The answer of tool %s is no JSON: %v", tool, err)
	}
	var wrong []string
	for _, v := range output.Check(value) {
		wrong = append(wrong, "structuredContent"+schema.Fields(v.Path)+": "+v.Text)
	}
	if len(wrong) == 0 {
		return ""
	}
	return clip(fmt.Sprintf("The answer of tool %s does not fit its own output schema:\n%s", tool, strings.Join(wrong, "\n")), maxMessage)
}

// output is a tool's output schema; nil: it has none.
func (s *session) output(tool string) *schema.Schema {
	offered := s.tools[tool]
	if offered == nil || offered.OutputSchema == nil {
		return nil
	}
	return schema.New(offered.OutputSchema)
}

// render is content as text.
func render(content sdk.Content) string {
	switch c := content.(type) {
	case *sdk.TextContent:
		return c.Text
	case *sdk.ImageContent:
		return fmt.Sprintf("(image, %s, %d bytes)", c.MIMEType, len(c.Data))
	case *sdk.AudioContent:
		return fmt.Sprintf("(audio, %s, %d bytes)", c.MIMEType, len(c.Data))
	case *sdk.ResourceLink:
		return fmt.Sprintf("(resource %s)", c.URI)
	case *sdk.EmbeddedResource:
		if c.Resource == nil {
			return "(an empty resource)"
		}
		if c.Resource.Text != "" {
			return c.Resource.Text
		}
		return fmt.Sprintf("(resource %s, %d bytes)", c.Resource.URI, len(c.Resource.Blob))
	}
	return fmt.Sprintf("(content of type %T)", content)
}

// artifacts are what an answer has made: the files that a structured one names,
// {"files":[{"path":…}]}, and what of its content is no text. What those hold is not kept.
func artifacts(result *sdk.CallToolResult) []v1.Artifact {
	var out []v1.Artifact
	add := func(a v1.Artifact) {
		if a.Name != "" && len(out) < maxArtifacts {
			out = append(out, a)
		}
	}
	for i, content := range result.Content {
		number := fmt.Sprintf("content[%d]", i)
		switch c := content.(type) {
		case *sdk.ImageContent:
			add(v1.Artifact{Name: number, MimeType: c.MIMEType, SizeBytes: int64(len(c.Data))})
		case *sdk.AudioContent:
			add(v1.Artifact{Name: number, MimeType: c.MIMEType, SizeBytes: int64(len(c.Data))})
		case *sdk.ResourceLink:
			link := v1.Artifact{Name: cmp.Or(c.Name, c.URI, number), URI: c.URI, MimeType: c.MIMEType}
			if c.Size != nil {
				link.SizeBytes = *c.Size
			}
			add(link)
		case *sdk.EmbeddedResource:
			if r := c.Resource; r != nil {
				add(v1.Artifact{Name: cmp.Or(r.URI, number), URI: r.URI, MimeType: r.MIMEType, SizeBytes: int64(max(len(r.Blob), len(r.Text)))})
			}
		}
	}
	data, err := json.Marshal(result.StructuredContent)
	if err != nil {
		return out
	}
	var answer struct {
		Files []struct {
			Path string `json:"path"`
			URI  string `json:"uri"`
		} `json:"files"`
	}
	if json.Unmarshal(data, &answer) != nil {
		return out
	}
	for _, file := range answer.Files {
		if file.Path != "" {
			add(v1.Artifact{Name: file.Path, URI: file.URI})
		}
	}
	return out
}

// plain is a log message's data as text.
func plain(data any) string {
	if s, ok := data.(string); ok {
		return s
	}
	encoded, err := json.Marshal(data)
	if err != nil {
		return fmt.Sprint(data)
	}
	return string(encoded)
}

func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + fmt.Sprintf("… (%d bytes in all; the log has them)", len(s))
}

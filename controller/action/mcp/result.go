package mcp

import (
	"encoding/json"
	"fmt"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
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

// finish makes an outcome of a tool's answer, whose content goes to the log.
func finish(result *sdk.CallToolResult, tool string, out action.Sink) action.Outcome {
	var texts []string
	for _, content := range result.Content {
		text := render(content)
		texts = append(texts, text)
		// A reader of memory does not fail.
		_ = process.Lines(strings.NewReader(text), func(line string) { out.Line(action.Content, line) })
	}
	said := strings.TrimSpace(strings.Join(texts, "\n"))
	if result.IsError {
		if said == "" {
			said = fmt.Sprintf("Tool %s reported an error without a word about it.", tool)
		}
		outcome := action.Fail(v1.ReasonToolError, clip(said, maxMessage))
		outcome.ToolError = true
		return outcome
	}
	outcome := action.Outcome{Verdict: action.Succeeded, Artifacts: artifacts(result.StructuredContent)}
	if encoded, err := v1.NewJSON(result.StructuredContent); err == nil && result.StructuredContent != nil && len(encoded.Raw) <= maxResult {
		outcome.Result = &encoded
	} else if text, err := v1.NewJSON(map[string]string{"text": clip(said, maxResult)}); err == nil && said != "" {
		outcome.Result = &text
	}
	return outcome
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

// artifacts are the files a structured answer names: {"files":[{"path":…}]}.
func artifacts(structured any) []v1.Artifact {
	data, err := json.Marshal(structured)
	if err != nil {
		return nil
	}
	var answer struct {
		Files []struct {
			Path string `json:"path"`
			URI  string `json:"uri"`
		} `json:"files"`
	}
	if json.Unmarshal(data, &answer) != nil {
		return nil
	}
	var out []v1.Artifact
	for _, file := range answer.Files {
		if file.Path != "" && len(out) < maxArtifacts {
			out = append(out, v1.Artifact{Name: file.Path, URI: file.URI})
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

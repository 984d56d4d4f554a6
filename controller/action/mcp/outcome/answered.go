package outcome

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/schema"
	"jobwright.dev/controller/action/process"
)

const (
	// maxResult bounds the part of a tool's answer that stands in the job's status, in bytes;
	// the log has all of it.
	maxResult = 64 << 10
	// maxArtifacts bounds how many files a status names.
	maxArtifacts = 1000
)

// Answered makes an outcome of a tool's answer, whose content goes to the log. output is
// the tool's output schema; nil: it has none. A tool that has answered has done its work:
// a fault of its answer is told, and is no failure.
func Answered(reply *answer.Reply, tool string, output *schema.Schema, out action.Sink) action.Outcome {
	read := &reply.Answer
	var texts []string
	for _, content := range read.Content {
		text := render(content)
		texts = append(texts, text)
		logged(out, text)
	}
	said := strings.TrimSpace(strings.Join(texts, "\n"))
	outcome := action.Outcome{Verdict: action.Succeeded, Artifacts: artifacts(read)}
	structured, there := asWritten(read.Structured)
	if there && !repeated(structured, texts) {
		logged(out, string(structured.Raw)) // the server has not said it in words
	}
	var notes []string
	switch {
	case there && len(structured.Raw) <= maxResult:
		outcome.Result = &structured
	case there:
		note := fmt.Sprintf("The structured result of tool %s has %d bytes, and a status keeps %d; all of it is in the log.", tool, len(structured.Raw), maxResult)
		out.Line(action.System, note)
		notes = append(notes, note)
	case said != "":
		if text, err := v1.NewJSON(map[string]string{"text": display.Clip(said, maxResult)}); err == nil {
			outcome.Result = &text
		}
	}
	if wrong := odd(reply, tool, out); wrong != "" {
		notes = append(notes, wrong)
	}
	if read.IsError {
		if said == "" {
			said = fmt.Sprintf("Tool %s reported an error without a word about it.", tool)
		}
		if !there {
			outcome.Result = nil // the message has the words
		}
		outcome.Verdict, outcome.Reason, outcome.Facts = action.Failed, v1.ReasonToolError, outcome.Facts.With(v1.FactToolError, true)
		outcome.Message = display.Clip(said, display.MaxMessage)
		return outcome
	}
	if wrong := misfit(read, structured, there, tool, output); wrong != "" {
		out.Line(action.System, wrong)
		notes = append(notes, wrong)
	}
	outcome.Message = display.Clip(strings.Join(notes, "\n"), display.MaxMessage)
	return outcome
}

// asWritten is a structured answer with its numbers as they were written.
func asWritten(raw json.RawMessage) (v1.JSON, bool) {
	var compacted bytes.Buffer
	if len(raw) == 0 || json.Compact(&compacted, raw) != nil {
		return v1.JSON{}, false
	}
	return v1.JSON{Raw: compacted.Bytes()}, true
}

// odd names the deviations of an answer from the protocol, and writes the answer to the log as
// it was written; empty: there are none. Faults of the message alone go to the log.
func odd(r *answer.Reply, tool string, out action.Sink) string {
	if len(r.Remarks) > 0 {
		out.Line(action.System, fmt.Sprintf("the message with the answer of tool %s is not as the protocol has it: %s", tool, strings.Join(r.Remarks, "; ")))
	}
	odd := slices.Concat(r.Changes, r.Odd)
	if len(odd) == 0 {
		return ""
	}
	written := string(r.Raw)
	if len(r.Written) > 0 {
		written = string(r.Written)
	}
	note := fmt.Sprintf("The answer of tool %s was read, though it is not as the protocol has it: %s.", tool, strings.Join(odd, "; "))
	note = display.Short(note, display.MaxMessage)
	out.Line(action.System, note)
	logged(out, "the answer as it was written: "+display.Short(strings.ToValidUTF8(written, "\uFFFD"), maxResult))
	return note
}

// logged writes a text to the job's log.
func logged(out action.Sink, text string) {
	process.Text(text, func(line string) { out.Line(action.Content, line) })
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

// fits reports whether an answer of which something is hidden fits the tool's output schema.
func fits(exact json.RawMessage, output *schema.Schema) bool {
	if exact == nil {
		return false
	}
	value, err := schema.Decode(exact)
	return err == nil && len(output.Check(value)) == 0
}

// misfit says how an answer does not fit the tool's output schema; empty: it does. The
// tool has done its work, so that this is no failure; whoever counts on the result is told.
func misfit(read *answer.Answer, structured v1.JSON, there bool, tool string, output *schema.Schema) string {
	if output == nil || there && fits(read.Exact, output) {
		return ""
	}
	if !there {
		return fmt.Sprintf("Tool %s answered without structuredContent, which its output schema promises.", tool)
	}
	value, err := schema.Decode(structured.Raw)
	if err != nil {
		return fmt.Sprintf("The answer of tool %s was not checked against its output schema: %v.", tool, err)
	}
	var wrong []string
	for _, v := range output.Check(value) {
		wrong = append(wrong, "structuredContent"+schema.Fields(v.Path)+": "+v.Text)
	}
	switch {
	case len(wrong) == 0 && read.Exact == nil:
		return ""
	case len(wrong) == 0:
		wrong = []string{"the value that does not fit has a secret of the server's and is not shown"}
	}
	return display.Clip(fmt.Sprintf("The answer of tool %s does not fit its own output schema:\n%s", tool, strings.Join(wrong, "\n")), display.MaxMessage)
}

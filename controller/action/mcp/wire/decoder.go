package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// forDecoder is the part of a result for the SDK. A tool's answer stays in its exchange.
func forDecoder(ex *Exchange, result json.RawMessage, note func(string)) json.RawMessage {
	switch ex.method {
	case "tools/call":
		return empty(result)
	case "tools/list":
		return tools(ex, result)
	case "initialize":
		return versioned(introduction(result), note)
	case "server/discover":
		return introduction(result)
	}
	return result
}

// empty is a tool's answer without its content: only the questions of a server, since
// protocol 2026-07-28, is the SDK's to read.
func empty(result json.RawMessage) json.RawMessage {
	if !bytes.Contains(result, []byte("inputRequests")) {
		return json.RawMessage(`{"content":[]}`)
	}
	var back struct {
		Type     json.RawMessage `json:"resultType,omitempty"`
		Requests json.RawMessage `json:"inputRequests,omitempty"`
		State    json.RawMessage `json:"requestState,omitempty"`
		Content  []struct{}      `json:"content"`
	}
	back.Content = []struct{}{}
	if json.Unmarshal(result, &back) != nil || len(back.Requests) == 0 {
		return json.RawMessage(`{"content":[]}`)
	}
	back.Content = []struct{}{}
	encoded, err := json.Marshal(back)
	if err != nil {
		return json.RawMessage(`{"content":[]}`)
	}
	return encoded
}

// tools is a page of tools without those that the SDK cannot read. Of a tool that it
// cannot read as a whole, name, description and schemas are kept.
func tools(ex *Exchange, result json.RawMessage) json.RawMessage {
	var page map[string]json.RawMessage
	if json.Unmarshal(result, &page) != nil || page == nil {
		ex.remark("its list of tools is no object: " + short(string(result), bodyShown))
		return json.RawMessage(`{"tools":[]}`)
	}
	var cursor string
	if json.Unmarshal(page["nextCursor"], &cursor) != nil {
		delete(page, "nextCursor")
	}
	var listed []json.RawMessage
	if len(page["tools"]) > 0 && json.Unmarshal(page["tools"], &listed) != nil {
		ex.remark("its tools are no list: " + short(string(page["tools"]), bodyShown))
	}
	kept := []json.RawMessage{}
	for i, raw := range listed {
		if tool, wrong := readable(raw); wrong == "" {
			kept = append(kept, tool)
		} else {
			ex.remark(fmt.Sprintf("tools[%d] cannot be used: %s: %s", i, wrong, short(string(raw), bodyShown)))
		}
	}
	encoded, err := json.Marshal(kept)
	if err != nil {
		return json.RawMessage(`{"tools":[]}`)
	}
	page["tools"] = encoded
	if encoded, err = json.Marshal(page); err != nil {
		return json.RawMessage(`{"tools":[]}`)
	}
	return encoded
}

// readable is a tool as the SDK can read it, or the fault of the tool.
func readable(raw json.RawMessage) (tool json.RawMessage, wrong string) {
	var whole sdk.Tool
	if json.Unmarshal(raw, &whole) == nil {
		if whole.Name == "" {
			return nil, "it has no name"
		}
		return raw, ""
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err.Error()
	}
	var part struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Input       json.RawMessage `json:"inputSchema,omitempty"`
		Output      json.RawMessage `json:"outputSchema,omitempty"`
	}
	if json.Unmarshal(members["name"], &part.Name) != nil || part.Name == "" {
		return nil, "it has no name"
	}
	// A member that cannot be read is left out, and so is the rest.
	_ = json.Unmarshal(members["description"], &part.Description)
	part.Input, part.Output = members["inputSchema"], members["outputSchema"]
	encoded, err := json.Marshal(part)
	if err != nil {
		return nil, err.Error()
	}
	return encoded, ""
}

// introduction is the introduction of a server, without members of a wrong shape.
func introduction(result json.RawMessage) json.RawMessage {
	var whole sdk.InitializeResult
	if json.Unmarshal(result, &whole) == nil {
		return result
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(result, &members) != nil {
		return result
	}
	for _, name := range []string{"_meta", "instructions", "serverInfo", "capabilities"} {
		encoded, err := json.Marshal(map[string]json.RawMessage{name: members[name]})
		if len(members[name]) == 0 || err == nil && json.Unmarshal(encoded, new(sdk.InitializeResult)) == nil {
			continue
		}
		delete(members, name)
		if name == "capabilities" {
			members[name] = json.RawMessage(`{"tools":{}}`)
		}
	}
	encoded, err := json.Marshal(members)
	if err != nil {
		return result
	}
	return encoded
}

// versioned is the introduction of a server, with a version of the protocol that the SDK
// takes. Some servers name none, or a version that does not exist; the parts of the protocol
// that jobs need are the same in all versions.
func versioned(result json.RawMessage, note func(string)) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(result, &members) != nil || members == nil {
		return result
	}
	var named string
	_ = json.Unmarshal(members["protocolVersion"], &named) // what is no string names none
	if slices.Contains(Versions, named) {
		return result
	}
	spoken := Versions[len(Versions)-1]
	for _, version := range slices.Backward(Versions) {
		if version <= named && version <= lastInitialized {
			spoken = version
		}
	}
	note(fmt.Sprintf("the server names the version %q of the protocol, which there is not; it is spoken to as in %s", short(named, 50), spoken))
	members["protocolVersion"] = json.RawMessage(`"` + spoken + `"`)
	encoded, err := json.Marshal(members)
	if err != nil {
		return result
	}
	return encoded
}

// lastInitialized is the last version that begins with initialize.
const lastInitialized = "2025-11-25"

package spool

import (
	"encoding/json"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// withEarlier adds the facts of an outcome that a version before facts wrote down: it had a
// field for each.
func withEarlier(facts action.Facts, data []byte) action.Facts {
	var file struct {
		Outcome struct {
			ExitCode   *int32
			HTTPStatus int32
			ToolError  bool
			RPCCode    int64
		} `json:"outcome"`
	}
	if json.Unmarshal(data, &file) != nil {
		return facts
	}
	o := file.Outcome
	if o.ExitCode != nil {
		facts = facts.With(v1.FactExitCode, *o.ExitCode)
	}
	if o.HTTPStatus != 0 {
		facts = facts.With(v1.FactHTTPStatus, o.HTTPStatus)
	}
	if o.ToolError {
		facts = facts.With(v1.FactToolError, true)
	}
	if o.RPCCode != 0 {
		facts = facts.With(v1.FactRPCCode, o.RPCCode)
	}
	return facts
}

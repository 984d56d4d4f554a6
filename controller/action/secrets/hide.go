package secrets

import (
	"bytes"
	"encoding/json"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// Sink is out without secrets in what it is told.
func (r *Redactor) Sink(out action.Sink) action.Sink {
	if r == nil {
		return out
	}
	return hiding{out, r}
}

type hiding struct {
	action.Sink
	hide *Redactor
}

func (h hiding) Line(stream action.Stream, text string) { h.Sink.Line(stream, h.hide.String(text)) }
func (h hiding) Progress(pct int, step string)          { h.Sink.Progress(pct, h.hide.String(step)) }
func (h hiding) Result(result v1.JSON)                  { h.Sink.Result(h.hide.JSON(result)) }

// Outcome is the outcome without secrets.
func (r *Redactor) Outcome(o action.Outcome) action.Outcome {
	o.Message = r.String(o.Message)
	if o.Result != nil {
		result := r.JSON(*o.Result)
		o.Result = &result
	}
	return o
}

// JSON redacts the texts, the numbers and the names of members in a JSON value, and leaves
// its form and every other number as it is.
func (r *Redactor) JSON(j v1.JSON) v1.JSON {
	if r == nil || len(j.Raw) == 0 {
		return j
	}
	decoder := json.NewDecoder(bytes.NewReader(j.Raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return v1.JSON{}
	}
	out, err := v1.NewJSON(r.Value(value))
	if err != nil {
		return v1.JSON{}
	}
	return out
}

// Value redacts what encoding/json has made of a JSON value. A number that has a secret in
// it becomes a text.
func (r *Redactor) Value(value any) any {
	if r == nil {
		return value
	}
	switch v := value.(type) {
	case string:
		return r.String(v)
	case json.Number:
		if hidden := r.String(v.String()); hidden != v.String() {
			return hidden
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = r.Value(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key := range v {
			out[r.String(key)] = r.Value(v[key])
		}
		return out
	}
	return value
}

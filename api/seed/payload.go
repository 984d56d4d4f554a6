package seed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/conversion"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
)

// PayloadAnnotation keeps a payload that cannot be reproduced from the spec alone.
const PayloadAnnotation = "jobwright.dev/payload"

// setPayload sets a job's type and action from a request. An unset payload is {}.
func setPayload(payloads v1.PayloadSet, job *v1.Job, jobType v1.JobType, payload json.RawMessage) error {
	var compact bytes.Buffer
	if len(bytes.TrimSpace(payload)) == 0 {
		payload = json.RawMessage("{}")
	}
	if err := json.Compact(&compact, payload); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	sent := compact.Bytes()
	if sent[0] != '{' && string(sent) != "null" {
		return errors.New("payload: must be an object")
	}
	if err := setAction(payloads, job, jobType, sent); err != nil {
		return err
	}
	made, err := fromSpec(payloads, &job.Spec)
	if err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	if bytes.Equal(made, sent) || hasPayload(payloads, &job.Spec) && sameJSON(made, sent) {
		return nil
	}
	if job.Annotations == nil {
		job.Annotations = map[string]string{}
	}
	job.Annotations[PayloadAnnotation] = string(sent)
	return nil
}

// setAction decodes a payload into the action of its type.
func setAction(payloads v1.PayloadSet, job *v1.Job, jobType v1.JobType, payload []byte) error {
	job.Spec.Type = jobType
	p, ok := payloads.ByType(jobType)
	if !ok {
		return fmt.Errorf("type: Unsupported value: %s: supported values: %s", quote(string(jobType)), supported(payloads))
	}
	if p.RecordWithout != "" {
		call, err := has(payload, p.RecordWithout)
		if err != nil || !call {
			return err // a record, whatever it holds
		}
	}
	action := p.New()
	if err := decode("payload", payload, action); err != nil {
		return err
	}
	return p.Put(&job.Spec, action)
}

// supported lists the types for an error.
func supported(payloads v1.PayloadSet) string {
	var quoted []string
	for _, t := range payloads.Types() {
		quoted = append(quoted, quote(string(t)))
	}
	return strings.Join(quoted, ", ")
}

// has reports whether a payload has a member, so that the job is no record. A search of the
// bytes rules out most records.
func has(payload []byte, name string) (bool, error) {
	if !bytes.Contains(payload, []byte(quote(name))) && !bytes.Contains(payload, []byte(`\u`)) {
		return false, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(payload, &members); err != nil {
		return false, fmt.Errorf("payload: %w", err)
	}
	value, ok := members[name]
	return ok && string(value) != "null", nil
}

// payloadOf is the payload of a job: as it was sent, or reproduced from the spec once that
// was edited.
func payloadOf(payloads v1.PayloadSet, job *v1.Job) (json.RawMessage, error) {
	kept := []byte(job.Annotations[PayloadAnnotation])
	if len(kept) > 0 && json.Valid(kept) {
		var sent v1.Job
		if setAction(payloads, &sent, job.Spec.Type, kept) == nil && sameAction(payloads, &sent.Spec, &job.Spec) {
			return kept, nil
		}
	}
	return fromSpec(payloads, &job.Spec)
}

// fromSpec reproduces a payload from the spec alone.
func fromSpec(payloads v1.PayloadSet, spec *v1.JobSpec) (json.RawMessage, error) {
	for _, p := range payloads {
		action := p.Get(spec)
		if action == nil {
			continue
		}
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		err := encoder.Encode(action)
		return bytes.TrimSpace(b.Bytes()), err
	}
	return json.RawMessage("{}"), nil
}

func hasPayload(payloads v1.PayloadSet, spec *v1.JobSpec) bool {
	return slices.ContainsFunc(payloads, func(p v1.Payload) bool { return p.IsSet(spec) })
}

func sameAction(payloads v1.PayloadSet, a, b *v1.JobSpec) bool {
	equal := conversion.EqualitiesOrDie(v1.JSON.Equal)
	for _, p := range payloads {
		if !equal.DeepEqual(p.Get(a), p.Get(b)) {
			return false
		}
	}
	return true
}

// sameJSON reports whether two JSON values are equal, numbers as written. Escaped halves
// of surrogate pairs count as different: decoding loses them.
func sameJSON(a, b []byte) bool {
	if bytes.Contains(bytes.ToLower(b), []byte(`\ud`)) {
		return false
	}
	x, errX := exact(a)
	y, errY := exact(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

func exact(data []byte) (v any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	err = decoder.Decode(&v)
	return v, err
}

// decode decodes the JSON of a member strictly.
func decode(member string, data []byte, into any) error {
	d, err := strict.JSON(data)
	if !d.Empty() {
		err = strict.Join(err, d.Decode(into))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", member, err)
	}
	return nil
}

func quote(s string) string {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return `"` + strings.ToValidUTF8(s, "?") + `"`
}

package seed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/conversion"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
)

// PayloadAnnotation keeps a payload that cannot be reproduced from the spec alone.
const PayloadAnnotation = "jobwright.dev/payload"

// setPayload sets a job's type and action from a request. An unset payload is {}.
func setPayload(job *v1.Job, jobType v1.JobType, payload json.RawMessage) error {
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
	if err := setAction(job, jobType, sent); err != nil {
		return err
	}
	made, err := fromSpec(&job.Spec)
	if err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	record := job.Spec.Build == nil && job.Spec.Deploy == nil && job.Spec.APICall == nil
	if bytes.Equal(made, sent) || !record && sameJSON(made, sent) {
		return nil
	}
	if job.Annotations == nil {
		job.Annotations = map[string]string{}
	}
	job.Annotations[PayloadAnnotation] = string(sent)
	return nil
}

// setAction decodes a payload into the action of its type.
func setAction(job *v1.Job, jobType v1.JobType, payload []byte) error {
	job.Spec.Type = jobType
	switch jobType {
	case v1.JobTypeBuild:
		job.Spec.Build = new(v1.BuildAction)
		return decode("payload", payload, job.Spec.Build)
	case v1.JobTypeDeploy:
		job.Spec.Deploy = new(v1.DeployAction)
		return decode("payload", payload, job.Spec.Deploy)
	case v1.JobTypeAPICall:
		call, err := hasURL(payload)
		if err != nil || !call {
			return err // a record, whatever it holds
		}
		job.Spec.APICall = new(v1.APICallAction)
		return decode("payload", payload, job.Spec.APICall)
	}
	return fmt.Errorf(`type: Unsupported value: %s: supported values: "build", "deploy", "api_call"`, quote(string(jobType)))
}

// hasURL reports whether an api_call has a url, so that it is a call and not a record. A
// search of the bytes rules out most records.
func hasURL(payload []byte) (bool, error) {
	if !bytes.Contains(payload, []byte(`"url"`)) && !bytes.Contains(payload, []byte(`\u`)) {
		return false, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(payload, &members); err != nil {
		return false, fmt.Errorf("payload: %w", err)
	}
	url, ok := members["url"]
	return ok && string(url) != "null", nil
}

// payloadOf is the payload of a job: as it was sent, or reproduced from the spec once that
// was edited.
func payloadOf(job *v1.Job) (json.RawMessage, error) {
	kept := []byte(job.Annotations[PayloadAnnotation])
	if len(kept) > 0 && json.Valid(kept) {
		var sent v1.Job
		if setAction(&sent, job.Spec.Type, kept) == nil && sameAction(&sent.Spec, &job.Spec) {
			return kept, nil
		}
	}
	return fromSpec(&job.Spec)
}

// fromSpec reproduces a payload from the spec alone.
func fromSpec(spec *v1.JobSpec) (json.RawMessage, error) {
	var action any
	switch {
	case spec.Build != nil:
		action = spec.Build
	case spec.Deploy != nil:
		action = spec.Deploy
	case spec.APICall != nil:
		action = spec.APICall
	default:
		return json.RawMessage("{}"), nil
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(action)
	return bytes.TrimSpace(b.Bytes()), err
}

func sameAction(a, b *v1.JobSpec) bool {
	equal := conversion.EqualitiesOrDie(v1.JSON.Equal)
	return equal.DeepEqual(a.Build, b.Build) && equal.DeepEqual(a.Deploy, b.Deploy) && equal.DeepEqual(a.APICall, b.APICall)
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

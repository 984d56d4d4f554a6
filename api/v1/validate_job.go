package v1

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// MaxObjectBytes bounds what the author of an object may send: spec, labels and
// annotations as JSON. 256 KiB holds any sensible set of variables and is what
// apimachinery allows for annotations alone; every byte is kept in memory, in
// the journal and in each watcher's stream.
const MaxObjectBytes = 256 << 10

// maxSeconds bounds every duration given in seconds: 100 years. It is far beyond
// use and keeps sums of durations inside time.Duration (292 years).
const maxSeconds = 3_153_600_000

// ValidateJob says what is wrong with a Job of this version's types.
func ValidateJob(j *Job) field.ErrorList { return ourPayloads().ValidateJob(j) }

// ValidateJob says what is wrong with a Job as its author wrote it, after Default: the
// first hundred problems, and how many there are beside them. It does not look at the
// status.
func (s PayloadSet) ValidateJob(j *Job) field.ErrorList { return bounded(s.jobProblems(j)) }

func (s PayloadSet) jobProblems(j *Job) field.ErrorList {
	spec := field.NewPath("spec")
	errs := validateMeta(&j.ObjectMeta, true)
	errs = append(errs, validateSize(&j.ObjectMeta, j.Spec.encodable())...)
	errs = append(errs, s.validatePayload(&j.Spec, spec)...)
	errs = append(errs, validateScheduling(j, spec)...)
	errs = append(errs, s.validateRetries(&j.Spec, spec)...)
	errs = append(errs, validateDurations(&j.Spec, spec)...)
	errs = append(errs, validateRuns(&j.Spec, spec)...)
	return append(errs, refuseUnsupported(unsupportedJobFields(), &j.Spec, spec)...)
}

// validateSize bounds the author's part of an object.
func validateSize(meta interface {
	GetLabels() map[string]string
	GetAnnotations() map[string]string
}, spec any,
) field.ErrorList {
	path := field.NewPath("spec")
	raw, err := json.Marshal(spec)
	if err != nil {
		return field.ErrorList{field.Invalid(path, field.OmitValueType{}, "cannot be encoded as JSON: "+err.Error())}
	}
	size := len(raw)
	for _, m := range []map[string]string{meta.GetLabels(), meta.GetAnnotations()} {
		for k, v := range m {
			size += len(k) + len(v)
		}
	}
	if size <= MaxObjectBytes {
		return nil
	}
	return field.ErrorList{{
		Type: field.ErrorTypeTooLong, Field: path.String(), BadValue: field.OmitValueType{},
		Detail: fmt.Sprintf("spec, labels and annotations take %d bytes, at most %d are allowed; put large inputs into a file or behind a URL and pass its name", size, MaxObjectBytes),
	}}
}

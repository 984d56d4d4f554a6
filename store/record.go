package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
)

// Record is one object as it is stored: an immutable encoding, with what every
// reader needs to tell objects apart beside it. The zero Record is no object.
type Record struct {
	key             Key
	uid             uuid.UUID
	resourceVersion uint64
	phase           v1.JobPhase // empty: not known without decoding
	encoding        []byte
}

// NewRecord is for engines. encoding is the object's compact JSON, complete with
// apiVersion, kind, resourceVersion and uid; the caller gives it away and does not
// change it any more.
func NewRecord(key Key, uid uuid.UUID, resourceVersion uint64, encoding []byte) Record {
	return Record{key: key, uid: uid, resourceVersion: resourceVersion, encoding: encoding}
}

// WithPhase is for engines that keep a job's phase beside its encoding: r with phase,
// which spares readers of Phase the decoding.
func (r Record) WithPhase(phase v1.JobPhase) Record {
	r.phase = phase
	return r
}

// Key names the object.
func (r Record) Key() Key { return r.key }

// UID tells this object from another that had its name before.
func (r Record) UID() types.UID { return types.UID(r.uid.String()) }

// UUID is UID as its 16 bytes.
func (r Record) UUID() uuid.UUID { return r.uid }

// ResourceVersion is the version of the object's last change.
func (r Record) ResourceVersion() uint64 { return r.resourceVersion }

// Len is the length of the encoding in bytes.
func (r Record) Len() int { return len(r.encoding) }

// AppendJSON appends the object's compact JSON to dst.
func (r Record) AppendJSON(dst []byte) []byte { return append(dst, r.encoding...) }

// MarshalJSON implements json.Marshaler with a copy of the encoding.
func (r Record) MarshalJSON() ([]byte, error) {
	if r.encoding == nil {
		return []byte("null"), nil
	}
	return append([]byte(nil), r.encoding...), nil
}

// Decode decodes the object into obj, which must be of the record's kind and empty.
func (r Record) Decode(obj v1.Object) error {
	if err := v1.DecodeJSON(r.encoding, obj); err != nil {
		return fmt.Errorf("decode %s: %w", r.key, err)
	}
	return nil
}

// Job decodes the record of a Job into a Job of the caller's own.
func (r Record) Job() (*v1.Job, error) {
	job := new(v1.Job)
	if err := job.DecodeJSON(r.encoding); err != nil {
		return nil, fmt.Errorf("decode %s: %w", r.key, err)
	}
	return job, nil
}

// Contains reports whether the encoding contains text: a quick look that rules an
// object out, never one that decides about its content.
func (r Record) Contains(text string) bool { return bytes.Contains(r.encoding, []byte(text)) }

// Phase is the phase of a Job's record, for readers that need no more of it.
func (r Record) Phase() (v1.JobPhase, error) {
	if r.phase != "" {
		return r.phase, nil
	}
	var job struct {
		Status struct {
			Phase v1.JobPhase `json:"phase"`
		} `json:"status"`
	}
	if err := json.Unmarshal(r.encoding, &job); err != nil {
		return "", fmt.Errorf("decode %s: %w", r.key, err)
	}
	return job.Status.Phase, nil
}

// Finished reports whether the Job of the record has finished (v1.Job.Finished), for
// readers that need no more of it.
func (r Record) Finished() (bool, error) {
	phase, err := r.Phase()
	if err != nil || !phase.Terminal() || !r.Contains(`"reruns":`) {
		return phase.Terminal() && err == nil, err
	}
	job, err := r.Job()
	if err != nil {
		return false, err
	}
	return job.Finished(), nil
}

// Workspace decodes the record of a Workspace into one of the caller's own.
func (r Record) Workspace() (*v1.Workspace, error) {
	ws := new(v1.Workspace)
	if err := r.Decode(ws); err != nil {
		return nil, err
	}
	return ws, nil
}

// Object decodes the record into a new object of its kind, which is one of kinds.
func (r Record) Object(kinds v1.KindSet) (v1.Object, error) {
	kind, ok := kinds.ByName(r.key.Kind)
	if !ok {
		return nil, fmt.Errorf("decode %s: unknown kind %q", r.key, r.key.Kind)
	}
	obj := kind.New()
	if err := r.Decode(obj); err != nil {
		return nil, err
	}
	return obj, nil
}

func lower(kind string) string { return strings.ToLower(kind) }

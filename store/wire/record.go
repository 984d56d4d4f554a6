package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// header is what a record tells without being decoded.
type header struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name            string `json:"name"`
		Namespace       string `json:"namespace"`
		UID             string `json:"uid"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Spec struct {
		Type v1.JobType `json:"type"`
	} `json:"spec"`
	Status struct {
		Phase v1.JobPhase `json:"phase"`
	} `json:"status"`
}

// recordOf makes the record of an object's JSON, which it keeps.
func recordOf(kind v1.Kind, encoding []byte) (store.Record, header, error) {
	var h header
	encoding = bytes.TrimSpace(encoding)
	if err := json.Unmarshal(encoding, &h); err != nil {
		return store.Record{}, h, fmt.Errorf("read the server's answer: %w", err)
	}
	id, err := uuid.Parse(h.Metadata.UID)
	if err != nil || h.Kind != kind.Name {
		return store.Record{}, h, fmt.Errorf("read the server's answer: a %s with uid %q, want a %s", h.Kind, h.Metadata.UID, kind.Name)
	}
	version, err := parseVersion(h.Metadata.ResourceVersion)
	if err != nil {
		return store.Record{}, h, fmt.Errorf("read the server's answer: %w", err)
	}
	key := store.Key{Kind: kind.Name, Namespace: h.Metadata.Namespace, Name: h.Metadata.Name}
	record := store.NewRecord(key, id, version, encoding)
	if kind.Name == v1.KindJob {
		record = record.WithPhase(h.Status.Phase)
	}
	return record, h, nil
}

func parseVersion(text string) (uint64, error) {
	version, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("resourceVersion %q is not a number", text)
	}
	return version, nil
}

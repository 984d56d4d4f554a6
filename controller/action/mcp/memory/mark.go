package memory

import "k8s.io/apimachinery/pkg/types"

// mark says that an attempt waits for its server to start, so that the attempt has not
// called its tool.
type mark struct {
	Attempt string `json:"attempt"`
}

// Mark notes that an attempt of a job has not called its tool.
func (f Folder) Mark(job types.UID, attempt string) error { return f.marks().Write(job, mark{attempt}) }

// Marked returns the attempt of a job that is marked; empty: none is.
func (f Folder) Marked(job types.UID) (attempt string, err error) {
	m, err := f.marks().Read(job)
	if m == nil {
		return "", err
	}
	return m.Attempt, err
}

// Unmark removes a job's mark, so that no crash brings the mark back.
func (f Folder) Unmark(job types.UID) error { return f.marks().RemoveDurably(job) }

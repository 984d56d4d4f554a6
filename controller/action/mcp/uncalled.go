package mcp

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/store/filedb"
)

// uncalled is the mark of an attempt that waits for its server to start, so that it has not
// called its tool. The mark is written before the start and gone, on disk, before the call.
type uncalled struct {
	Attempt string `json:"attempt"`
}

func (m memory) mark(job types.UID) string { return filepath.Join(string(m), string(job)+".uncalled") }

// markUncalled notes that an attempt has not called its tool.
func (m memory) markUncalled(job types.UID, attempt string) error {
	if !m.usable(job) {
		return nil
	}
	return filedb.WriteJSON(m.mark(job), uncalled{attempt})
}

// unmark removes the mark, so that no crash brings it back.
func (m memory) unmark(job types.UID) error {
	if !m.usable(job) {
		return nil
	}
	if err := os.Remove(m.mark(job)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	folder, err := os.Open(string(m))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// notBegun is the outcome of an attempt that a dead worker left before it had called its
// tool; nil: that is not known. No server is needed to tell.
func (r *Runner) notBegun(a action.Attempt) *action.Outcome {
	if !r.memory().usable(a.Job.UID) {
		return nil
	}
	mark, err := filedb.ReadJSON(r.memory().mark(a.Job.UID), uncalled{})
	if err != nil {
		r.opts.Log.Error(err, "read whether a job's tool was called", "job", a.Job.Namespace+"/"+a.Job.Name)
		return nil
	}
	if mark.Attempt == "" || mark.Attempt != a.ID {
		return nil
	}
	return &action.Outcome{Verdict: action.Lost, Repeatable: true, Message: fmt.Sprintf("Tool %s had not been called yet: its server was still starting.", a.Job.Spec.Build.Action)}
}

// calls tells that the attempt is about to call its tool; with an outcome it must not.
func (r *Runner) calls(a action.Attempt) *action.Outcome {
	if err := r.memory().unmark(a.Job.UID); err != nil {
		r.opts.Log.Error(err, "note that a job's tool is called", "job", a.Job.Namespace+"/"+a.Job.Name)
		failed := action.Fail(v1.ReasonInternalError, fmt.Sprintf("Tool %s was not called: that it is about to be could not be written down. The server's log has the error.", a.Job.Spec.Build.Action))
		return &failed
	}
	return nil
}

// settled removes the mark of an attempt that has an outcome.
func (r *Runner) settled(a action.Attempt) {
	if err := r.memory().unmark(a.Job.UID); err != nil {
		r.opts.Log.Error(err, "remove the mark of an attempt that has ended", "job", a.Job.Namespace+"/"+a.Job.Name)
	}
}

// starts tells that the attempt waits for its server to start. An error costs what is known
// after a crash, not the call.
func (r *Runner) starts(a action.Attempt, left *remembered) {
	if left != nil {
		return // an attempt before has called it
	}
	if err := r.memory().markUncalled(a.Job.UID, a.ID); err != nil {
		r.opts.Log.Error(err, "note that a job's tool is not called yet", "job", a.Job.Namespace+"/"+a.Job.Name)
	}
}

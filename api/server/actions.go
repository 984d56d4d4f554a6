package server

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// explain tells why a job waits, or what it waits for.
func (s *Server) explain(w http.ResponseWriter, r *request) error {
	record, err := s.opts.Store.Get(r.Context(), r.key())
	if err != nil {
		return err
	}
	job, err := record.Job()
	if err != nil {
		return err
	}
	answer, err := s.opts.Worker.Explain(r.Context(), job)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// phaseNow is the job's phase, or Queued for a finished job that is about to run again.
func phaseNow(job *v1.Job) v1.JobPhase {
	if job.Status.Phase.Terminal() && !job.Finished() {
		return v1.JobQueued
	}
	return job.Status.Phase
}

// retry runs a finished job again unchanged, and starts a job in back-off at once.
func (s *Server) retry(w http.ResponseWriter, r *request) error {
	if done, err := s.retryNow(w, r); done || err != nil {
		return err
	}
	return s.change(w, r, func(job *v1.Job) error {
		if !job.Finished() {
			return conflict(job, fmt.Sprintf("the job has not finished, it is %s; cancel it first", phaseNow(job)))
		}
		job.Spec.Reruns = max(job.Spec.Reruns, job.Status.Reruns) + 1
		return nil
	})
}

// retryNow ends the back-off of a job. It returns false for a job that is not in back-off.
func (s *Server) retryNow(w http.ResponseWriter, r *request) (done bool, err error) {
	for {
		record, err := s.opts.Store.Get(r.Context(), r.key())
		if err != nil {
			return false, err
		}
		job, err := record.Job()
		if err != nil {
			return false, err
		}
		next := job.Status.NextAttemptTime
		if job.Status.Phase != v1.JobQueued || job.Spec.Suspend || next == nil || !next.After(time.Now()) {
			return false, nil
		}
		job.Status.NextAttemptTime, job.Status.Reason = nil, v1.ReasonRetrying
		job.Status.Message = "Asked to try again now. Before that: " + job.Status.Message
		if r.dry {
			record, err = s.candidate(r.route.Kind, job, record)
		} else {
			record, err = s.opts.Store.UpdateStatus(r.Context(), job, store.Durable)
		}
		if errors.Is(err, store.ErrConflict) {
			continue // each round means that somebody else's write went through
		}
		if err != nil {
			return false, err
		}
		writeRecord(w, http.StatusOK, record)
		return true, nil
	}
}

// forceFinish ends a job at once, in the phase that an operator decides.
func (s *Server) forceFinish(w http.ResponseWriter, r *request) error {
	var decision v1.ForceFinish
	d, err := readDocument(r)
	if err == nil {
		err = d.Decode(&decision)
	}
	if _, ok := errors.AsType[strict.Problems](err); ok {
		return badBody(`the body must be {"phase": "Failed", "message": "why"}: `, err)
	}
	if err != nil {
		return err
	}
	decision.By = nil
	return s.change(w, r, func(job *v1.Job) error {
		if job.Finished() {
			return conflict(job, fmt.Sprintf("the job has finished already: %s", job.Status.Phase))
		}
		if job.Spec.ForceFinish != nil {
			return conflict(job, "the job is being finished by force already")
		}
		job.Spec.ForceFinish = &decision
		if r.dry {
			return nil
		}
		s.opts.Log.Info("a job is finished by force", "job", job.Namespace+"/"+job.Name, "phase", decision.Phase, "message", decision.Message, "by", r.who.Name, "remote", r.RemoteAddr)
		return nil
	})
}

func conflict(job *v1.Job, why string) error {
	return apierrors.NewConflict(schema.GroupResource{Group: v1.Group, Resource: v1.ResourceJobs}, job.Name, errors.New(why))
}

// change applies one change to the stored job, and once more after each conflicting write.
func (s *Server) change(w http.ResponseWriter, r *request, apply func(*v1.Job) error) error {
	for {
		record, err := s.opts.Store.Get(r.Context(), r.key())
		if err != nil {
			return err
		}
		job, err := record.Job()
		if err != nil {
			return err
		}
		if err := apply(job); err != nil {
			return err
		}
		record, err = s.write(r, job)
		if errors.Is(err, store.ErrConflict) {
			continue // each round means that somebody else's write went through
		}
		if err != nil {
			return err
		}
		writeRecord(w, http.StatusOK, record)
		return nil
	}
}

// retryAfterQueueFull is the Retry-After, in seconds, of a workspace whose queue is full:
// long enough for some jobs to start.
const retryAfterQueueFull = 5

// mayQueue refuses n more jobs that would exceed the workspace's maxQueued. The limit is
// soft: concurrent requests are each checked without the others.
func (s *Server) mayQueue(r *request, workspace store.Record, n int) error {
	if !workspace.Contains(`"maxQueued"`) {
		return nil // hardly any has one, and decoding costs more than all the rest
	}
	ws, err := workspace.Workspace()
	if err != nil || ws.Spec.MaxQueued == nil {
		return err
	}
	counts, err := s.opts.Store.Count(r.Context(), v1.KindJob)
	if err != nil {
		return err
	}
	queued := 0
	for _, count := range counts {
		if count.Namespace == ws.Name && count.Phase == v1.JobQueued {
			queued += count.N
		}
	}
	if queued+n <= int(*ws.Spec.MaxQueued) {
		return nil
	}
	refusal := apierrors.NewTooManyRequests(fmt.Sprintf("workspace %s has %d queued jobs, its spec.maxQueued is %d, and the request has %d more; wait for some to start, or raise it",
		ws.Name, queued, *ws.Spec.MaxQueued, n), retryAfterQueueFull)
	refusal.ErrStatus.Reason = metav1.StatusReasonTooManyRequests
	return refusal
}

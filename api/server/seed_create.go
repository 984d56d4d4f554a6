package server

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/seed"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// seedID and seedIDs are the results of a creation.
type (
	seedID struct {
		ID string `json:"id"`
	}
	seedIDs struct {
		IDs []string `json:"ids"`
	}
)

// seedCreate serves POST /api/jobs: one job, or several of which all are created or none.
func (s *Server) seedCreate(w http.ResponseWriter, r *request) error {
	claim, err := s.claimKey(r)
	if err != nil {
		return err
	}
	defer claim.end()
	if made, ok := claim.repeated(); ok {
		return s.repeatSeed(w, made)
	}
	body, err := readSeedBody(r)
	if err != nil {
		return err
	}
	asked, err := seed.DecodeCreate(body)
	if err != nil {
		return badSeed(err)
	}
	jobs, err := asked.Objects(s.opts.Kinds.Payloads(), r.workspace, s.mayImpersonate(r))
	if err != nil {
		return badSeed(err)
	}
	names, err := s.createSeed(r, asked.Several, jobs, claim)
	if err != nil {
		return err
	}
	writeSeedCreated(w, names, asked.Several)
	return nil
}

// writeSeedCreated answers a creation: the ids, and for clients that know HTTP only, where
// the job is and when to look at it.
func writeSeedCreated(w http.ResponseWriter, names []string, several bool) {
	w.Header()["Retry-After"] = pollSeconds
	if several {
		writeJSON(w, http.StatusAccepted, seedAnswer{OK: true, Result: seedIDs{names}})
		return
	}
	w.Header().Set("Location", "/api/jobs/"+names[0])
	writeJSON(w, http.StatusAccepted, seedAnswer{OK: true, Result: seedID{names[0]}})
}

// repeatSeed repeats the answer to a creation.
func (s *Server) repeatSeed(w http.ResponseWriter, made store.Record) error {
	mark, err := s.markOf(made)
	if err != nil {
		return err
	}
	names, several := []string{made.Key().Name}, mark.Jobs > 0
	if several {
		names = seed.Following(mark.First, mark.Jobs)
	}
	w.Header().Set(IdempotencyReplayed, "true")
	writeSeedCreated(w, names, several)
	return nil
}

// badSeed converts an error of package seed into a refusal.
func badSeed(err error) error {
	refusal := apierrors.NewBadRequest(strings.ReplaceAll(err.Error(), "\n", "; "))
	if _, ok := errors.AsType[*seed.InvalidError](err); ok {
		refusal.ErrStatus.Reason = metav1.StatusReasonInvalid
	}
	return refusal
}

// createSeed stores jobs under new names, together with their workspace if it does not
// exist. Either all jobs are stored or none.
func (s *Server) createSeed(r *request, several bool, jobs []*v1.Job, claim *keyClaim) ([]string, error) {
	for {
		created, err := s.newWorkspace(r, len(jobs))
		if err != nil {
			return nil, err
		}
		if len(created) > 0 && !s.opts.Store.Features().AtomicCreate {
			// The workspace then outlives a request whose jobs cannot be stored.
			if _, err := s.opts.Store.Create(claim.context(r.Context()), created...); err != nil && !errors.Is(err, store.ErrExists) {
				return nil, err
			}
			created = nil
		}
		names := seed.Names(time.Now(), rand.Uint64(), len(jobs))
		for i, job := range jobs {
			job.Name = names[i]
			if several {
				claim.mark(job, names[0], len(jobs))
			} else {
				claim.mark(job, "", 0)
			}
			created = append(created, job)
		}
		_, err = s.opts.Store.Create(claim.context(r.Context()), created...)
		if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrNoWorkspace) {
			continue // somebody has made or deleted the workspace meanwhile, or one in two thousand million names is taken
		}
		if err != nil {
			return nil, err
		}
		for _, job := range jobs {
			s.created(job)
		}
		return names, nil
	}
}

// newWorkspace returns the workspace to create together with n jobs, and nothing for a
// workspace that exists, which must have room for them.
func (s *Server) newWorkspace(r *request, n int) ([]v1.Object, error) {
	name := r.workspace
	workspace, err := s.opts.Store.Get(r.Context(), store.Key{Kind: v1.KindWorkspace, Name: name})
	if err == nil {
		return nil, s.mayQueue(r, workspace, n)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	counts, err := s.opts.Store.Count(r.Context(), v1.KindWorkspace)
	if err != nil {
		return nil, err
	}
	there := 0
	for _, count := range counts {
		there += count.N
	}
	if there >= s.opts.MaxWorkspaces {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("workspace %q does not exist, and there are %d workspaces already (at most %d are created by use); create it with jobwright apply",
			name, there, s.opts.MaxWorkspaces))
	}
	return []v1.Object{&v1.Workspace{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}}, nil
}

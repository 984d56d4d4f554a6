package server

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/validation"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

const (
	// WorkspaceCookie names the workspace of a request of the seed's interface.
	WorkspaceCookie = "active_workspace"
	// seedListLimit is how many jobs the seed's list shows at most.
	seedListLimit = 200
)

// seedRoutes are /api/jobs. The methods are told apart here, because a wrong one is
// answered in the seed's shape too.
func (s *Server) seedRoutes(handle func(string, http.HandlerFunc)) {
	handle("/api/jobs", s.seed(map[string]seedHandler{http.MethodGet: s.seedList, http.MethodPost: s.seedCreate}))
	handle("/api/jobs/{id}", s.seed(map[string]seedHandler{http.MethodGet: s.seedGet, http.MethodPost: s.seedAct}))
}

type seedHandler func(w http.ResponseWriter, r *http.Request, workspace string) error

func (s *Server) seed(methods map[string]seedHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		handler, ok := methods[r.Method]
		if !ok {
			w.Header().Set("Allow", "GET, POST")
			writeJSON(w, http.StatusMethodNotAllowed, seedRefusal{Error: "method_not_allowed", Message: "use GET or POST"})
			return
		}
		cookie, err := r.Cookie(WorkspaceCookie)
		if err != nil || cookie.Value == "" {
			writeJSON(w, http.StatusUnauthorized, seedRefusal{Error: "workspace_required"})
			return
		}
		if problems := validation.IsDNS1123Label(cookie.Value); len(problems) > 0 {
			writeJSON(w, http.StatusBadRequest, seedRefusal{
				Error: "invalid_workspace", Message: fmt.Sprintf("cookie %s: %s: %s", WorkspaceCookie, quote(cookie.Value), problems[0]),
			})
			return
		}
		if err := handler(w, r, cookie.Value); err != nil {
			s.refuseSeed(w, err, r.PathValue("id"))
		}
	}
}

type seedResult struct {
	OK     bool `json:"ok"`
	Result any  `json:"result,omitempty"`
}

func (s *Server) seedList(w http.ResponseWriter, r *http.Request, workspace string) error {
	page, err := s.Store.List(r.Context(), store.ListOptions{
		Kind: v1.KindJob, Namespace: workspace, Order: store.NewestFirst, Limit: seedListLimit,
	})
	if err != nil {
		return err
	}
	jobs := make([]seedJob, 0, len(page.Items))
	for _, record := range page.Items {
		job, err := s.seedJob(r.Context(), record, listLogLines)
		if err != nil {
			return err
		}
		jobs = append(jobs, job)
	}
	writeJSON(w, http.StatusOK, seedResult{OK: true, Result: jobs})
	return nil
}

func (s *Server) seedGet(w http.ResponseWriter, r *http.Request, workspace string) error {
	record, err := s.Store.Get(r.Context(), store.Key{Kind: v1.KindJob, Namespace: workspace, Name: r.PathValue("id")})
	if err != nil {
		return err
	}
	job, err := s.seedJob(r.Context(), record, oneLogLines)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, seedResult{OK: true, Result: job})
	return nil
}

func (s *Server) seedCreate(w http.ResponseWriter, r *http.Request, workspace string) error {
	job, err := readSeedJob(r)
	if err != nil {
		return err
	}
	job.Namespace = workspace
	job.Status = job.InitialStatus()
	if err := s.ensureWorkspace(r, workspace); err != nil {
		return err
	}
	for {
		job.Name = seedName(time.Now())
		if err := validate(job, nil); err != nil {
			return err
		}
		_, err := s.Store.Create(r.Context(), job)
		if errors.Is(err, store.ErrExists) {
			continue // one in two thousand million a millisecond
		}
		if err != nil {
			return err
		}
		break
	}
	s.created(job)
	writeJSON(w, http.StatusAccepted, seedResult{OK: true, Result: struct {
		ID string `json:"id"`
	}{job.Name}})
	return nil
}

// seedName is "<epoch ms>-<six characters>".
func seedName(now time.Time) string {
	return strconv.FormatInt(now.UnixMilli(), 10) + "-" + rand.String(6)
}

// ensureWorkspace creates a workspace that nobody has used yet.
func (s *Server) ensureWorkspace(r *http.Request, name string) error {
	workspace, err := s.Store.Get(r.Context(), store.Key{Kind: v1.KindWorkspace, Name: name})
	if err == nil {
		return s.mayQueue(r, workspace)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	counts, err := s.Store.Count(r.Context(), v1.KindWorkspace)
	if err != nil {
		return err
	}
	n := 0
	for _, count := range counts {
		n += count.N
	}
	if n >= s.MaxWorkspaces {
		return apierrors.NewBadRequest(fmt.Sprintf("workspace %q does not exist, and there are %d workspaces already (at most %d are created by use); create it with jobwright apply",
			name, n, s.MaxWorkspaces))
	}
	_, err = s.Store.Create(r.Context(), &v1.Workspace{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	})
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}

// seedAct serves POST /api/jobs/ID, whose only action is cancel.
func (s *Server) seedAct(w http.ResponseWriter, r *http.Request, workspace string) error {
	var body struct {
		Action string `json:"action"`
	}
	if err := readSeedBody(r, &body); err != nil {
		return err
	}
	if body.Action != "cancel" {
		return apierrors.NewBadRequest(fmt.Sprintf("action: Unsupported value: %s: supported values: \"cancel\"", quote(body.Action)))
	}
	key := store.Key{Kind: v1.KindJob, Namespace: workspace, Name: r.PathValue("id")}
	for {
		record, err := s.Store.Get(r.Context(), key)
		if err != nil {
			return err
		}
		job, err := record.Job()
		if err != nil {
			return err
		}
		if job.Status.Phase.Terminal() {
			writeJSON(w, http.StatusConflict, seedRefusal{
				Error: "already_finished", Message: "the job has ended already: " + strings.ToLower(string(job.Status.Phase)),
			})
			return nil
		}
		job.Spec.Cancel = true
		_, err = s.Store.Update(r.Context(), job)
		if errors.Is(err, store.ErrConflict) {
			continue // each round means that somebody else's write went through
		}
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, seedResult{OK: true})
		return nil
	}
}

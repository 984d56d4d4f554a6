package seed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	v1 "jobwright.dev/api/v1"
)

// MaxJobs bounds the jobs of one request. A thousand builds take some hundred kilobytes,
// less than the bound of a body, and are stored with one write.
const MaxJobs = 1000

// maxCreator bounds the texts of createdBy. An e-mail address has at most 254 bytes (RFC
// 5321).
const maxCreator = 254

// Create is the body of POST /api/jobs: one job, or several.
type Create struct {
	Jobs []NewJob
	// Several: the request has "jobs", and its answer "ids".
	Several bool
}

// NewJob is one job of a request.
type NewJob struct {
	Type    v1.JobType      `json:"type"`
	Payload json.RawMessage `json:"payload"`
	// CreatedBy counts only when the request may speak for others.
	CreatedBy json.RawMessage `json:"createdBy"`
}

// DecodeCreate decodes the body of POST /api/jobs.
func DecodeCreate(body []byte) (Create, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return Create{}, errors.New("the body must be a JSON object")
	}
	var request struct {
		NewJob
		Jobs *[]NewJob `json:"jobs"`
	}
	if err := decode("bad JSON", body, &request); err != nil {
		return Create{}, err
	}
	if request.Jobs == nil {
		return Create{Jobs: []NewJob{request.NewJob}}, nil
	}
	switch n := len(*request.Jobs); {
	case request.Type != "" || request.Payload != nil || request.CreatedBy != nil:
		return Create{}, errors.New("jobs: must stand alone: type, payload and createdBy belong to each of them")
	case n == 0 || n > MaxJobs:
		return Create{}, fmt.Errorf("jobs: must hold 1 to %d jobs, not %d", MaxJobs, n)
	}
	return Create{Jobs: *request.Jobs, Several: true}, nil
}

// Objects makes the jobs of a request, with the payloads that there are, in a workspace and
// without names. trusted: the request may say who creates them. Every problem is said at
// once, with its path.
func (c Create) Objects(payloads v1.PayloadSet, workspace string, trusted bool) ([]*v1.Job, error) {
	jobs := make([]*v1.Job, 0, len(c.Jobs))
	var problems []error
	for i, request := range c.Jobs {
		job, err := request.object(payloads, workspace, trusted)
		if err != nil && c.Several {
			err = at(fmt.Sprintf("jobs[%d].", i), err)
		}
		if err != nil {
			problems = append(problems, err)
			if len(problems) == maxProblems {
				break
			}
		}
		jobs = append(jobs, job)
	}
	return jobs, errors.Join(problems...)
}

// maxProblems bounds an answer about a thousand jobs that share one mistake.
const maxProblems = 20

// InvalidError is a well-formed payload with invalid values.
type InvalidError struct{ problems field.ErrorList }

// Error names the members as they stand in the request.
func (e *InvalidError) Error() string {
	texts := make([]string, 0, len(e.problems))
	for _, problem := range e.problems {
		texts = append(texts, problem.Error())
	}
	return strings.Join(texts, "; ")
}

// at prefixes the message of an error with a path.
func at(path string, err error) error {
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		return fmt.Errorf("%s%w", path, err)
	}
	moved := make(field.ErrorList, 0, len(invalid.problems))
	for _, problem := range invalid.problems {
		copied := *problem
		copied.Field = path + problem.Field
		moved = append(moved, &copied)
	}
	return &InvalidError{moved}
}

func (n NewJob) object(payloads v1.PayloadSet, workspace string, trusted bool) (*v1.Job, error) {
	job := &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Namespace: workspace},
	}
	if err := setPayload(payloads, job, n.Type, n.Payload); err != nil {
		return nil, err
	}
	if trusted {
		by, err := creator(n.CreatedBy)
		if err != nil {
			return nil, err
		}
		job.Spec.CreatedBy = by
	}
	job.Default()
	job.Status = payloads.InitialStatus(job)
	job.Name = "0-000000" // any name that is valid: the caller gives the real one
	problems := payloads.ValidateJob(job)
	job.Name = ""
	if len(problems) == 0 {
		return job, nil
	}
	for _, problem := range problems {
		problem.Field = memberOf(payloads, problem.Field)
	}
	return nil, &InvalidError{problems}
}

// memberOf is the path, in a request, of the member that a field of the spec is made from.
func memberOf(payloads v1.PayloadSet, path string) string {
	for _, p := range payloads {
		if path == "spec."+p.Field {
			return "payload"
		}
		if rest, ok := strings.CutPrefix(path, "spec."+p.Field+"."); ok {
			return "payload." + rest
		}
	}
	if path == "spec" {
		return "payload"
	}
	return strings.TrimPrefix(path, "spec.")
}

// creator decodes createdBy; unset and {} mean that there is none.
func creator(raw json.RawMessage) (*v1.Creator, error) {
	var by *v1.Creator
	if len(raw) == 0 {
		return nil, nil
	}
	if err := decode("createdBy", raw, &by); err != nil {
		return nil, err
	}
	if by == nil || *by == (v1.Creator{}) {
		return nil, nil
	}
	if n := max(len(by.Email), len(by.ID)); n > maxCreator {
		return nil, fmt.Errorf("createdBy: email and id may have at most %d bytes, not %d", maxCreator, n)
	}
	return by, nil
}

// nameDigits are those of a name's six characters, and so of the number they stand for.
const nameDigits = 36

// nameSpan is how many names there are in one millisecond.
const nameSpan = nameDigits * nameDigits * nameDigits * nameDigits * nameDigits * nameDigits

// Names are n new job names of the form "<epoch ms>-<six characters>". The first is made
// from random, and the others follow it in order, so that Following can reproduce them.
func Names(now time.Time, random uint64, n int) []string {
	return Following(name(now.UnixMilli(), random%nameSpan), n)
}

// Following reproduces the n names that Names returned with first in front.
func Following(first string, n int) []string {
	millis, suffix, _ := strings.Cut(first, "-")
	at, errMillis := strconv.ParseInt(millis, 10, 64)
	number, errNumber := strconv.ParseUint(suffix, nameDigits, 64)
	names := []string{first}
	for i := 1; i < n && errMillis == nil && errNumber == nil; i++ {
		names = append(names, name(at, (number+uint64(i))%nameSpan))
	}
	return names
}

func name(millis int64, number uint64) string {
	suffix := strconv.FormatUint(number, nameDigits)
	return strconv.FormatInt(millis, 10) + "-" + strings.Repeat("0", 6-len(suffix)) + suffix
}

// ActionCancel is the only action of POST /api/jobs/ID.
const ActionCancel = "cancel"

// DecodeAction decodes the body of POST /api/jobs/ID.
func DecodeAction(body []byte) (string, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return "", errors.New("the body must be a JSON object")
	}
	var request struct {
		Action string `json:"action"`
	}
	err := decode("bad JSON", body, &request)
	return request.Action, err
}

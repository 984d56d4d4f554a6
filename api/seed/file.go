package seed

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
)

// MaxFile limits the size of an old file. The applications that write such files rewrite the
// whole file for each log line, so even ten megabytes are rare.
const MaxFile = 256 << 20

// maxMillis is the last millisecond that RFC 3339 can write, and so the last in a stored time.
const maxMillis = 253_402_300_799_999

// file is an old file of jobs.
type file struct {
	Jobs *[]fileJob `json:"jobs"`
}

// fileJob is a job of an old file. It takes what such files were seen to hold: a share of
// a percent, lines that are no text, a creator of any form.
type fileJob struct {
	ID          string            `json:"id"`
	Type        v1.JobType        `json:"type"`
	WorkspaceID string            `json:"workspaceId"`
	CreatedBy   json.RawMessage   `json:"createdBy"`
	Payload     json.RawMessage   `json:"payload"`
	Status      string            `json:"status"`
	Pct         float64           `json:"pct"`
	Step        string            `json:"step"`
	Logs        []json.RawMessage `json:"logs"`
	CreatedAt   int64             `json:"createdAt"`
	UpdatedAt   int64             `json:"updatedAt"`
}

// Past is a job of an old file as an object, and its log.
type Past struct {
	Job *v1.Job
	// Lines are the log, each line as text, and Updated is when the last of them was written.
	Lines   []string
	Updated time.Time
}

// ReadFile reads an old file, {"jobs": […]}, oldest job first. The error is of type
// strict.Problems and has the line and the path of each problem; nothing is read then.
func ReadFile(payloads v1.PayloadSet, text []byte) ([]Past, error) {
	var old file
	document, err := strict.JSON(text)
	if !document.Empty() {
		err = strict.Join(err, document.Decode(&old))
	}
	if err != nil {
		return nil, err
	}
	if old.Jobs == nil {
		return nil, strict.Problems{{Path: "jobs", Message: `Required value: the file must be like {"jobs": [{"id": …}]}`}}
	}
	past := make([]Past, 0, len(*old.Jobs))
	problems := strict.Problems{}
	index := map[string]int{}
	for i, one := range *old.Jobs {
		p, err := one.past(payloads)
		if earlier, twice := index[one.key()]; err == nil && twice {
			err = fmt.Errorf("id: Duplicate value: %s: it is that of jobs[%d] too", quote(one.ID), earlier)
		}
		index[one.key()] = i
		if err != nil {
			problems = append(problems, strict.Problem{Line: document.Items("jobs")[i].Line(), Path: fmt.Sprintf("jobs[%d]", i), Message: err.Error()})
			if len(problems) == strict.MaxProblems {
				break
			}
		}
		past = append(past, p)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	slices.SortStableFunc(past, func(a, b Past) int { return a.Job.CreationTimestamp.Compare(b.Job.CreationTimestamp.Time) })
	return past, nil
}

// key identifies a job within a file. Names are compared in lower case, as objects have them.
func (f *fileJob) key() string { return f.WorkspaceID + "/" + strings.ToLower(f.ID) }

func (f *fileJob) past(payloads v1.PayloadSet) (Past, error) {
	job, err := f.object(payloads)
	if err != nil {
		return Past{}, err
	}
	return Past{Job: job, Lines: f.lines(), Updated: f.updated()}, nil
}

// object converts an old job into an object with its uid and times. A queued or running
// job becomes queued.
func (f *fileJob) object(payloads v1.PayloadSet) (*v1.Job, error) {
	if problems := validation.IsDNS1123Label(f.WorkspaceID); len(problems) > 0 {
		return nil, fmt.Errorf("workspaceId: Invalid value: %s: %s", quote(f.WorkspaceID), problems[0])
	}
	for _, at := range []struct {
		member string
		millis int64
	}{{"createdAt", f.CreatedAt}, {"updatedAt", f.UpdatedAt}} {
		if at.millis < 0 || at.millis > maxMillis {
			return nil, fmt.Errorf("%s: Invalid value: %d: must be milliseconds since 1970, at most %d", at.member, at.millis, int64(maxMillis))
		}
	}
	job := &v1.Job{
		TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{
			Name: strings.ToLower(f.ID), Namespace: f.WorkspaceID,
			CreationTimestamp: metav1.NewTime(time.UnixMilli(f.CreatedAt)), UID: f.uid(),
		},
	}
	if err := setPayload(payloads, job, f.Type, f.Payload); err != nil {
		return nil, err
	}
	var by v1.Creator
	if json.Unmarshal(f.CreatedBy, &by) == nil && by != (v1.Creator{}) {
		job.Spec.CreatedBy = &by
	}
	if problems := payloads.ValidateJob(job); len(problems) > 0 {
		for _, problem := range problems {
			problem.Field = memberOf(payloads, problem.Field)
			if problem.Field == "metadata.name" {
				problem.Field = "id"
			}
		}
		return nil, problems.ToAggregate()
	}
	return job, f.status(&job.Status)
}

// lines are the job's log, one text per line. Values that are not text are shown as JSON.
func (f *fileJob) lines() []string {
	lines := make([]string, 0, len(f.Logs))
	for _, line := range f.Logs {
		var text string
		if json.Unmarshal(line, &text) != nil || string(line) == "null" {
			text = string(line)
		}
		lines = append(lines, text)
	}
	return lines
}

func (f *fileJob) updated() time.Time { return time.UnixMilli(max(f.UpdatedAt, f.CreatedAt)) }

// uid is a uid of version 7 with the old job's time, so that it sorts where the job
// belongs; the rest of it is derived from the id, so that a repeated import agrees.
func (f *fileJob) uid() types.UID {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(f.WorkspaceID+"/"+f.ID))
	for i := range 6 {
		id[i] = byte(f.CreatedAt >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	return types.UID(id.String())
}

// phase returns the phase for an old status. Old files have both spellings of canceled.
func (f *fileJob) phase() (v1.JobPhase, error) {
	switch strings.ToLower(f.Status) {
	case "queued", "pending", "running":
		return v1.JobQueued, nil
	case "succeeded":
		return v1.JobSucceeded, nil
	case "failed":
		return v1.JobFailed, nil
	case "canceled", "cancelled":
		return v1.JobCanceled, nil
	}
	return "", fmt.Errorf("status: Unsupported value: %s: supported values: queued, running, succeeded, failed, canceled", quote(f.Status))
}

func (f *fileJob) status(s *v1.JobStatus) error {
	phase, err := f.phase()
	if err != nil {
		return err
	}
	updated := metav1.NewMicroTime(f.updated())
	s.LastUpdateTime, s.Phase = &updated, phase
	if phase == v1.JobQueued {
		s.Reason = v1.ReasonQueued
		if strings.EqualFold(f.Status, "running") {
			s.Reason, s.Message = v1.ReasonInterrupted, "It was running when it was imported, and is run again."
		}
		return nil
	}
	s.Reason, s.Step = v1.ReasonImported, f.Step
	s.Pct = int32(min(max(f.Pct, 0), 100))
	if phase == v1.JobSucceeded {
		s.Pct = 100
	}
	started := metav1.NewMicroTime(time.UnixMilli(f.CreatedAt))
	s.StartTime, s.CompletionTime = &started, &updated
	for _, condition := range []string{v1.TerminalCondition(phase), v1.ConditionFinished} {
		s.SetCondition(condition, metav1.ConditionTrue, v1.ReasonImported, v1.EndedMessage(phase), 1, metav1.NewTime(updated.Time))
	}
	return nil
}

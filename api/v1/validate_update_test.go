package v1

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestValidateJobUpdate(t *testing.T) {
	at := metav1.NewMicroTime(time.Unix(1_796_034_567, 0))
	queued := JobStatus{Phase: JobQueued}
	running := JobStatus{Phase: JobRunning, StartTime: &at, CurrentAttempt: &Attempt{ID: "u-1"}}
	requeued := JobStatus{Phase: JobQueued, StartTime: &at}
	succeeded := JobStatus{Phase: JobSucceeded, StartTime: &at, CompletionTime: &at}
	const (
		started  = ": Forbidden: field is immutable once the job has started; cancel the job and apply the change with updatePolicy: Rerun, or apply it under another name"
		finished = ": Forbidden: field is immutable, the job has finished (Succeeded); run it again with the change by updatePolicy: Rerun, or apply it under another name"
	)
	cases := map[string]struct {
		was    func(*Job)
		status JobStatus
		change func(*Job)
		want   []string
	}{
		"a queued job may change its payload": {
			status: queued,
			change: func(j *Job) { j.Spec.Build.ID = "quota-check-lib"; j.Spec.ActiveDeadlineSeconds = new(int64(60)) },
		},
		"a queued job may not change its type": {
			status: queued,
			change: func(j *Job) { j.Spec = JobSpec{Type: JobTypeAPICall} },
			want:   []string{"spec.type: Forbidden: field is immutable, it is build; apply the job under another name"},
		},
		"who created it is the server's to say": {
			was:    func(j *Job) { j.Spec.CreatedBy = &Creator{ID: "1"} },
			status: queued,
			change: func(j *Job) { j.Spec.CreatedBy = &Creator{ID: "2"} },
			want:   []string{"spec.createdBy: Forbidden: field is immutable; the server sets it at creation"},
		},
		"a change is validated like a new job": {
			status: queued,
			change: func(j *Job) { j.Spec.Build.Action = "" },
			want:   []string{"spec.build.action: Required value: name the tool to call"},
		},
		"a running job may change priority and cancel": {
			status: running,
			change: func(j *Job) { j.Spec.Priority = 5; j.Spec.Cancel = true },
		},
		"a running job keeps its payload and its place, its limits may change": {
			status: running,
			change: func(j *Job) {
				j.Spec.Build.Variables = map[string]JSON{"ROUTE_NAME": raw(`"status"`)}
				j.Spec.StartDeadlineSeconds = new(int64(60))
				j.Spec.ActiveDeadlineSeconds = new(int64(60))
			},
			want: []string{"spec.build.variables" + started, "spec.startDeadlineSeconds" + started},
		},
		"a running job is not run again": {
			status: running,
			change: func(j *Job) { j.Spec.Reruns = 1 },
			want:   []string{"spec.reruns: Forbidden: the job has not finished (Running); cancel it first, then run it again"},
		},
		"a finished job is run again with another payload": {
			was:    func(j *Job) { j.Spec.Cancel = true },
			status: succeeded,
			change: func(j *Job) { j.Spec.Reruns, j.Spec.Cancel, j.Spec.Build.ID = 1, false, "quota-check-lib" },
		},
		"a new run that is canceled or forced to begin with": {
			status: succeeded,
			change: func(j *Job) {
				j.Spec.Reruns, j.Spec.Cancel, j.Spec.ForceFinish = 1, true, &ForceFinish{Phase: JobFailed, Message: "x"}
			},
			want: []string{
				"spec.cancel: Forbidden: must be false for the job to run again",
				"spec.forceFinish: Forbidden: must be unset for the job to run again",
			},
		},
		"runs are not taken back": {
			was:    func(j *Job) { j.Spec.Reruns = 2 },
			status: succeeded,
			change: func(j *Job) { j.Spec.Reruns = 1 },
			want:   []string{"spec.reruns: Invalid value: 1: must not fall, it is 2"},
		},
		"a forced end stays as it is": {
			was:    func(j *Job) { j.Spec.ForceFinish = &ForceFinish{Phase: JobFailed, Message: "x"} },
			status: running,
			change: func(j *Job) { j.Spec.ForceFinish = nil },
			want:   []string{"spec.forceFinish: Forbidden: field is immutable once it is set"},
		},
		"an interrupted job in the queue keeps its payload": {
			status: requeued,
			change: func(j *Job) { j.Spec.Build.Server = "other" },
			want:   []string{"spec.build.server" + started},
		},
		"a payload that is dropped": {
			was:    apiCall(APICallAction{URL: "http://a"}),
			status: running,
			change: func(j *Job) { j.Spec.APICall = nil },
			want:   []string{"spec.apiCall" + started},
		},
		"a body with its keys in another order is the same": {
			was:    apiCall(APICallAction{URL: "http://a", Body: new(raw(`{"b":[1],"a":{}}`))}),
			status: running,
			change: func(j *Job) { j.Spec.APICall.Body = new(raw(`{"a":{},"b":[1]}`)) },
		},
		"a body that differs beyond a float's precision is not": {
			was:    apiCall(APICallAction{URL: "http://a", Body: new(raw(`9007199254740993`))}),
			status: running,
			change: func(j *Job) { j.Spec.APICall.Body = new(raw(`9007199254740992`)) },
			want:   []string{"spec.apiCall.body" + started},
		},
		"an empty list is the same as none": {
			was:    deploy(DeployAction{Verb: DeployUp}),
			status: running,
			change: func(j *Job) { j.Spec.Deploy.Services = []string{} },
		},
		"a cancel cannot be taken back": {
			was:    func(j *Job) { j.Spec.Cancel = true },
			status: running,
			change: func(j *Job) { j.Spec.Cancel = false },
			want:   []string{"spec.cancel: Forbidden: a cancel cannot be taken back; once the job has ended, run it again with jobwright retry"},
		},
		"a finished job keeps its whole spec": {
			status: succeeded,
			change: func(j *Job) { j.Spec.Priority = 5; j.Spec.Cancel = true; j.Spec.Build.Action = "preview_apply" },
			want:   []string{"spec.build.action" + finished, "spec.priority" + finished, "spec.cancel" + finished},
		},
		"a finished job may get labels": {
			status: succeeded,
			change: func(j *Job) { j.Labels = map[string]string{"kept": "yes"} },
		},
		"what an older version accepted does not stop a cancel": {
			was:    func(j *Job) { j.Spec.Suspend = true; j.Spec.BackoffLimit = new(int32(3)) },
			status: queued,
			change: func(j *Job) { j.Spec.Cancel = true },
		},
		"a label is refused once, not twice": {
			status: queued,
			change: func(j *Job) { j.Labels = map[string]string{"kept": "-"} },
			want:   []string{`metadata.labels: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`},
		},
		"an update names the version it is based on": {
			status: queued,
			change: func(j *Job) { j.ResourceVersion = "" },
			want:   []string{`metadata.resourceVersion: Invalid value: "": must be specified for an update`},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			old := newJob(c.was)
			old.UID, old.ResourceVersion, old.Generation = "u", "7", 1
			old.Status = c.status
			changed := old.DeepCopy()
			c.change(changed)
			if diff := cmp.Diff(c.want, messages(Payloads().validateJobUpdate(changed, old))); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

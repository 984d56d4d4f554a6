package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// JobStatus is what the controller has observed of a Job.
type JobStatus struct {
	// phase summarises the conditions. Unset (a job the controller has not seen
	// yet) means Queued; the server fills that in at creation.
	// +optional
	Phase JobPhase `json:"phase,omitempty"`

	// pct is the progress of the current or last attempt, 0 to 100 percent. It
	// never falls within an attempt and is 100 once the job has succeeded.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Pct int32 `json:"pct,omitempty"`

	// step names what the attempt is doing, e.g. "mcp:run" or "compose:up web".
	// +optional
	Step string `json:"step,omitempty"`

	// reason says in one CamelCase word why the job is in its phase. It is one of
	// the Reason constants, a closed set.
	// +optional
	Reason string `json:"reason,omitempty"`

	// message describes the event for a person: the cause, the limit with its configured
	// and actual value if one was hit, and what to do.
	// +optional
	Message string `json:"message,omitempty"`

	// blockedBy says why a queued job does not run. It is computed when the job is
	// read by its name and never stored: lists and watches do not have it.
	// +optional
	BlockedBy []Blocker `json:"blockedBy,omitempty"`

	// observedGeneration is the metadata.generation that this status reflects.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// queuedTime is since when the job has its place in the queue: set when it is
	// resumed or run again. A retry keeps its place. Unset: since its creation.
	// +optional
	QueuedTime *metav1.MicroTime `json:"queuedTime,omitempty"`

	// nextAttemptTime is the earliest time of the next attempt after a failure.
	// Set while the job waits for a retry.
	// +optional
	NextAttemptTime *metav1.MicroTime `json:"nextAttemptTime,omitempty"`

	// retryAfterTime is until when the other side asked not to be called again; it
	// holds up every job with the same rateLimit.key.
	// +optional
	RetryAfterTime *metav1.MicroTime `json:"retryAfterTime,omitempty"`

	// startTime is when the first attempt of this run started. Set once a run;
	// unset again while the job is suspended, and moved back with a clock that is
	// set back.
	// +optional
	StartTime *metav1.MicroTime `json:"startTime,omitempty"`

	// completionTime is when the job reached its terminal phase. Set once.
	// +optional
	CompletionTime *metav1.MicroTime `json:"completionTime,omitempty"`

	// lastUpdateTime is when phase, pct, step or message last changed.
	// +optional
	LastUpdateTime *metav1.MicroTime `json:"lastUpdateTime,omitempty"`

	// reruns is the run that this status is about: spec.reruns as it was when the
	// run began.
	// +optional
	Reruns int32 `json:"reruns,omitempty"`

	// attempts is how many attempts have been started, over all runs.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`

	// failures is how many attempts of this run have failed and count towards
	// backoffLimit.
	// +optional
	Failures int32 `json:"failures,omitempty"`

	// interruptions is how many attempts of this run were lost without an outcome
	// (a restart, a lost worker). They do not count towards backoffLimit and have a
	// limit of their own, MaxInterruptions.
	// +optional
	Interruptions int32 `json:"interruptions,omitempty"`

	// currentAttempt is the attempt that holds the job now. Set exactly while the
	// phase is Running; written before the attempt's side effect starts.
	// +optional
	CurrentAttempt *Attempt `json:"currentAttempt,omitempty"`

	// idleTimeoutSeconds is the idle limit of attempts when spec.idleTimeoutSeconds is
	// unset. The server sets it when the job is created, and it stays over all runs.
	// Unset, as in every job that was created before there was a default: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=0
	IdleTimeoutSeconds *int64 `json:"idleTimeoutSeconds,omitempty"`

	// dependencies records the observed jobs of spec.dependsOn. It distinguishes a
	// dependency that was deleted later from one that never existed.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	Dependencies []DependencyStatus `json:"dependencies,omitempty"`

	// lateResult is the outcome of an attempt that ended after the job was decided without
	// it: another worker took over, or the job was finished by force. It has no effect.
	// +optional
	LateResult *LateResult `json:"lateResult,omitempty"`

	// history holds the runs before this one, the latest last, MaxHistory at most.
	// +optional
	// +kubebuilder:validation:MaxItems=10
	History []RunStatus `json:"history,omitempty"`

	// conditions are the job's state in detail; see the Condition constants.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// result is what the action returned: the tool's structured content, the
	// compose exit code, the HTTP status and the head of the body. Bounded.
	// +optional
	Result *JSON `json:"result,omitempty"`

	// artifacts are the things that the action reported to have created, e.g. files.
	// +optional
	// +kubebuilder:validation:MaxItems=1000
	Artifacts []Artifact `json:"artifacts,omitempty"`
}

// Attempt is one try at a job's action, owned by one worker.
type Attempt struct {
	// id identifies the attempt for ever: "<metadata.uid>-<number>", numbered from
	// 1. Together with worker it is the token of the lease: a worker whose token is
	// not the one in the status may not write it.
	ID string `json:"id"`

	// worker is the identity of the worker that owns the attempt.
	Worker string `json:"worker"`

	// startTime is when the attempt was persisted, just before its side effect.
	StartTime metav1.MicroTime `json:"startTime"`

	// leaseExpires is until when the worker owns the attempt without renewing its
	// lease. After that another worker may take the attempt over. A worker that
	// comes back with the same identity recovers its own attempts at once.
	// +optional
	LeaseExpires *metav1.MicroTime `json:"leaseExpires,omitempty"`
}

// DependencyStatus is the observed state of one dependency.
type DependencyStatus struct {
	// name is that of spec.dependsOn.
	Name string `json:"name"`
	// uid is the uid of the job with that name when it was first observed. A later job
	// with the same name does not count.
	UID types.UID `json:"uid"`
	// met is true once the dependency has reached its condition. It stays true
	// when the dependency is deleted or run again.
	// +optional
	Met bool `json:"met,omitempty"`
}

// LateResult is an outcome that came too late to count.
type LateResult struct {
	// attempt is the attempt's id.
	Attempt string `json:"attempt"`
	// worker is who reported it.
	Worker string `json:"worker"`
	// time is when it was reported.
	Time metav1.MicroTime `json:"time"`
	// outcome is the outcome that it would have had: Succeeded, Failed, or Canceled for an
	// attempt that was stopped.
	Outcome JobPhase `json:"outcome"`
	// reason and message are the action's own.
	// +optional
	Reason string `json:"reason,omitempty"`
	// +optional
	Message string `json:"message,omitempty"`
}

// RunStatus is how an earlier run of the job ended.
type RunStatus struct {
	// reruns is the number of the run, from 0.
	// +optional
	Reruns int32 `json:"reruns,omitempty"`
	// phase, reason and message are those the run ended with.
	Phase JobPhase `json:"phase"`
	// +optional
	Reason string `json:"reason,omitempty"`
	// +optional
	Message string `json:"message,omitempty"`
	// startTime is when its first attempt started; unset when none did.
	// +optional
	StartTime *metav1.MicroTime `json:"startTime,omitempty"`
	// completionTime is when it ended.
	CompletionTime metav1.MicroTime `json:"completionTime"`
	// attempts is how many attempts the job had when the run ended, over all runs.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// failures and interruptions are those of the run.
	// +optional
	Failures int32 `json:"failures,omitempty"`
	// +optional
	Interruptions int32 `json:"interruptions,omitempty"`
}

// Artifact is one thing that an action reported to have created.
type Artifact struct {
	// name identifies the artifact, e.g. a path relative to the builder's target root.
	Name string `json:"name"`
	// uri is where it is, when the action told. Unset: not told.
	// +optional
	URI string `json:"uri,omitempty"`
	// mimeType is its media type, when the action told. Unset: not told.
	// +optional
	MimeType string `json:"mimeType,omitempty"`
	// sizeBytes is its size in bytes, when the action told. Unset: not told, or empty.
	// +optional
	SizeBytes int64 `json:"sizeBytes,omitempty"`
}

// BlockerKind is why a queued job does not run.
type BlockerKind string

// The kinds of Blocker.
const (
	// BlockedByPosition: other jobs run first; position says how many.
	BlockedByPosition BlockerKind = "Position"
	// BlockedByCapacity: the job is next, but every slot is taken.
	BlockedByCapacity BlockerKind = "Capacity"
	// BlockedByDependency: a job named in dependsOn has not got there yet.
	BlockedByDependency BlockerKind = "Dependency"
	// BlockedByLimit: a concurrency, rate or workspace limit is reached.
	BlockedByLimit BlockerKind = "Limit"
	// BlockedBySuspend: the job, its type or its workspace is suspended.
	BlockedBySuspend BlockerKind = "Suspend"
	// BlockedBySchedule: startAfter or a retry's back-off lies in the future.
	BlockedBySchedule BlockerKind = "Schedule"
)

// Blocker is one thing a queued job waits for.
type Blocker struct {
	// kind is the kind of the obstacle.
	Kind BlockerKind `json:"kind"`
	// name is the object that blocks, where there is one.
	// +optional
	Name string `json:"name,omitempty"`
	// position is how many jobs run before this one, with kind Position.
	// +optional
	Position int32 `json:"position,omitempty"`
	// since is when the block began, where that is known.
	// +optional
	Since *metav1.MicroTime `json:"since,omitempty"`
	// until is when the block ends, where that is known.
	// +optional
	Until *metav1.MicroTime `json:"until,omitempty"`
	// message describes the obstacle for a person, with what to do.
	Message string `json:"message"`
}

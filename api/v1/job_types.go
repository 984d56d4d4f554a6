package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// JobType names the action of a Job.
// +kubebuilder:validation:Enum=build;deploy;api_call
type JobType string

// The types of Job.
const (
	JobTypeBuild   JobType = "build"
	JobTypeDeploy  JobType = "deploy"
	JobTypeAPICall JobType = "api_call"
)

// JobPhase summarises a Job's conditions in one word.
// +kubebuilder:validation:Enum=Queued;Running;Succeeded;Failed;Canceled
type JobPhase string

// The phases of a Job; the last three are terminal.
const (
	JobQueued    JobPhase = "Queued"
	JobRunning   JobPhase = "Running"
	JobSucceeded JobPhase = "Succeeded"
	JobFailed    JobPhase = "Failed"
	JobCanceled  JobPhase = "Canceled"
)

// JobPhases are all phases of a job.
func JobPhases() []JobPhase {
	return []JobPhase{JobQueued, JobRunning, JobSucceeded, JobFailed, JobCanceled}
}

// Terminal reports whether p is a phase that nothing leaves.
func (p JobPhase) Terminal() bool {
	return p == JobSucceeded || p == JobFailed || p == JobCanceled
}

// Job is one durable piece of work.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=jobs,singular=job,shortName=jw,categories=all
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Pct",type=integer,JSONPath=`.status.pct`
// +kubebuilder:printcolumn:name="Step",type=string,JSONPath=`.status.step`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.reason`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Job struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the author asks for. The author writes it. Once the first
	// attempt has started the payload is fixed; priority, suspend, cancel,
	// forceFinish, the limits on failures and the time limits of attempts may still
	// change. A finished job changes only together with reruns.
	Spec JobSpec `json:"spec"`

	// status is what the controller has observed. Only the controller writes it,
	// through the status subresource.
	// +optional
	Status JobStatus `json:"status,omitzero"`
}

// JobSpec is the desired state of a Job, as its author wrote it.
type JobSpec struct {
	// type is the action to run. Unset: decided at creation by the one payload
	// that is set (build, deploy or apiCall). Immutable.
	// +optional
	Type JobType `json:"type,omitempty"`

	// build is the payload of type build. Set exactly when type is build.
	// Immutable once the first attempt has started.
	// +optional
	Build *BuildAction `json:"build,omitempty"`

	// deploy is the payload of type deploy. Set exactly when type is deploy.
	// Immutable once the first attempt has started.
	// +optional
	Deploy *DeployAction `json:"deploy,omitempty"`

	// apiCall is the payload of type api_call. Unset with type api_call: a
	// tracking record. Immutable once the first attempt has started.
	// +optional
	APICall *APICallAction `json:"apiCall,omitempty"`

	// Custom holds the payloads of types that a program adds to the types of this package, by
	// type. In JSON they are members of the spec beside the other payloads. A member without
	// a payload of the kind is refused.
	Custom map[string]JSON `json:"-" jsongen:"rest"`

	// priority orders queued jobs: higher runs first, equals run oldest first.
	// It may change while the job is queued. Unset: 0.
	// +optional
	// +kubebuilder:validation:Minimum=-1000
	// +kubebuilder:validation:Maximum=1000
	Priority int32 `json:"priority,omitempty"`

	// dependsOn names jobs of the same workspace that must have reached the given
	// condition before this one starts. A name that does not exist yet is waited
	// for until startDeadlineSeconds, or one hour when that is unset. A dependency
	// that can no longer be met (it ended otherwise, or was deleted) ends this job
	// Canceled with reason DependencyFailed. Cycles are refused. Unset: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	DependsOn []JobDependency `json:"dependsOn,omitempty"`

	// startAfter is the earliest time at which the job may start. Unset: at once.
	// +optional
	StartAfter *metav1.Time `json:"startAfter,omitempty"`

	// suspend keeps the job from starting, and terminates a running attempt
	// without counting it as a failure; activeDeadlineSeconds starts anew when the
	// job is resumed. It may change until the job has finished. Unset: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// cancel asks for the job to end as Canceled. It is desired state, so it
	// survives a restart. It may be set at any time and never unset again.
	// Unset: false.
	// +optional
	Cancel bool `json:"cancel,omitempty"`

	// backoffLimit is how often a failed attempt is retried. Interruptions
	// (a restart of the server, a lost worker) do not count. Unset: 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	BackoffLimit *int32 `json:"backoffLimit,omitempty"`

	// backoff is the wait between a failure and its retry. Unset: at most 10 s,
	// doubled with each failure up to 360 s, with full jitter. A Retry-After that
	// the other side sent is the least wait.
	// +optional
	Backoff *Backoff `json:"backoff,omitempty"`

	// failurePolicy decides by kind of failure whether to retry. The first rule
	// that matches decides; no match counts towards backoffLimit. Unset: no rules.
	// +optional
	FailurePolicy *FailurePolicy `json:"failurePolicy,omitempty"`

	// startDeadlineSeconds is how long the job may be queued before its first
	// attempt, from its creation (or startAfter, its resumption or its rerun, when
	// that is later); then it ends Failed with reason StartDeadlineExceeded. Time
	// in which the job is suspended does not count. Unset: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3153600000
	StartDeadlineSeconds *int64 `json:"startDeadlineSeconds,omitempty"`

	// idleTimeoutSeconds is how long an attempt may run without output or progress
	// before it is stopped and counted as failed; 0: no limit. Unset:
	// status.idleTimeoutSeconds, which is 900 for a build; a deploy has the limits of
	// its stages and an api_call its timeoutSeconds.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3153600000
	IdleTimeoutSeconds *int64 `json:"idleTimeoutSeconds,omitempty"`

	// attemptTimeoutSeconds is how long one attempt may run before it is stopped
	// and counted as failed. Unset: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3153600000
	AttemptTimeoutSeconds *int64 `json:"attemptTimeoutSeconds,omitempty"`

	// activeDeadlineSeconds is how long the job may take from the start of its
	// first attempt over all attempts; when it passes, the job ends Failed with
	// reason DeadlineExceeded whatever backoffLimit says. Unset: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3153600000
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`

	// concurrency limits how many jobs with the same key of the same workspace
	// run at once. It may change while the job is queued. Unset: no limit, but for
	// a deploy that changes something its compose project with limit 1, across
	// workspaces and in submit order.
	// +optional
	Concurrency *Concurrency `json:"concurrency,omitempty"`

	// rateLimit limits how many jobs with the same key of the same workspace start
	// in a span of time. It may change while the job is queued. Unset: no limit.
	// +optional
	RateLimit *RateLimit `json:"rateLimit,omitempty"`

	// onInterruption says what becomes of the job when an attempt was lost with its
	// server or worker after its action had begun: Rerun queues it again, Fail ends
	// it Failed with reason Interrupted. Unset: Rerun where running the action again
	// does no harm (every deploy; a build whose tool is marked idempotent or
	// read-only; an api_call whose method is idempotent), Fail otherwise.
	// +optional
	OnInterruption InterruptionPolicy `json:"onInterruption,omitempty"`

	// updatePolicy says what applying a changed spec to the finished job does:
	// Reject refuses the change, Rerun runs the job again with the new spec, Ignore
	// leaves the job as it is. It is read from the spec that is applied. Unset:
	// Reject.
	// +optional
	UpdatePolicy UpdatePolicy `json:"updatePolicy,omitempty"`

	// reruns is how many times the finished job was asked to run again. Raising it
	// on a finished job queues a new run, with what is changed along with it;
	// status.history keeps the runs before. It may never fall. Unset: 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Reruns int32 `json:"reruns,omitempty"`

	// forceFinish ends the job at once. A running attempt is stopped, and its outcome
	// is recorded as the late result. For operators. It may be set until the job has
	// finished; a rerun unsets it. Unset: nothing is forced.
	// +optional
	ForceFinish *ForceFinish `json:"forceFinish,omitempty"`

	// ttlSecondsAfterFinished is how long a finished job is kept, by outcome. This
	// version does not support it yet and refuses it. Unset: for ever.
	// +optional
	TTLSecondsAfterFinished *TTLSeconds `json:"ttlSecondsAfterFinished,omitempty"`

	// createdBy is who created the job. A client that has the operator's token may
	// set it at creation; what any other client sends here is ignored. Immutable.
	// +optional
	CreatedBy *Creator `json:"createdBy,omitempty"`
}

// BuildAction is a call of one tool of one MCP server.
type BuildAction struct {
	// server is a name from the operator's mcpServers file. Unset: the only
	// server there is; with several the job is refused at its start.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Server string `json:"server,omitempty"`

	// action is the name of the tool to call. Required.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Action string `json:"action"`

	// id is passed to the tool as arguments.id, e.g. the builder to apply.
	// Unset: not passed.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ID string `json:"id,omitempty"`

	// session names the session of the call. Jobs of a workspace with the same session and
	// server share one connection or process, one after another in submit order, and so
	// the state that the server keeps in it. No other job uses the session. It is closed
	// after five minutes without use, when a call in it is canceled, or when it fails; the
	// log names the session of a job. Unset: any session of the workspace without a name.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Session string `json:"session,omitempty"`

	// variables are passed to the tool as arguments.variables; each is any JSON
	// value. Unset: not passed.
	// +optional
	Variables map[string]JSON `json:"variables,omitempty"`

	// arguments are any further arguments of the tool, each any JSON value. They
	// must not name id or variables when those are set above. Unset: none.
	// +optional
	Arguments map[string]JSON `json:"arguments,omitempty"`

	// answers are the answers to questions of the tool while it runs (MCP elicitation), by
	// the name of the requested field; each is any JSON value. The operator must allow the
	// server to ask, or the job is refused at its start. A question with a required field
	// that has no answer here is declined, unless the operator allows the defaults of the
	// question. Unset: none.
	// +optional
	Answers map[string]JSON `json:"answers,omitempty"`
}

// DependencyCondition is the condition that a dependency must reach.
// +kubebuilder:validation:Enum=Succeeded;Failed;Finished
type DependencyCondition string

// The conditions a dependency may be waited for.
const (
	DependencySucceeded DependencyCondition = "Succeeded"
	DependencyFailed    DependencyCondition = "Failed"
	DependencyFinished  DependencyCondition = "Finished"
)

// JobDependency is one job to wait for.
type JobDependency struct {
	// name is the other job, of the same workspace. Required.
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`

	// condition is the outcome that the other job must reach. Unset: Succeeded.
	// +optional
	Condition DependencyCondition `json:"condition,omitempty"`
}

// Backoff is an exponential wait with full jitter.
type Backoff struct {
	// initialSeconds is the upper bound of the first wait. Unset: 10.
	// +optional
	// +kubebuilder:validation:Minimum=0
	InitialSeconds *int32 `json:"initialSeconds,omitempty"`

	// factor multiplies the bound with each further failure. Unset: 2.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10
	Factor *int32 `json:"factor,omitempty"`

	// maxSeconds caps the bound. Unset: 360.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxSeconds *int32 `json:"maxSeconds,omitempty"`
}

// FailurePolicyAction is the decision of a matching rule.
// +kubebuilder:validation:Enum=FailJob;Ignore;Count;RetryAfter
type FailurePolicyAction string

// The decisions of a failure rule.
const (
	// FailurePolicyFailJob ends the job Failed without a retry.
	FailurePolicyFailJob FailurePolicyAction = "FailJob"
	// FailurePolicyIgnore retries without counting towards backoffLimit.
	FailurePolicyIgnore FailurePolicyAction = "Ignore"
	// FailurePolicyCount counts the failure towards backoffLimit.
	FailurePolicyCount FailurePolicyAction = "Count"
	// FailurePolicyRetryAfter retries without counting towards backoffLimit, after
	// the rule's retryAfterSeconds or what the other side asked for, if that is
	// longer.
	FailurePolicyRetryAfter FailurePolicyAction = "RetryAfter"
)

// FailurePolicyActions lists every action, in the order in which errors name them.
func FailurePolicyActions() []FailurePolicyAction {
	return []FailurePolicyAction{FailurePolicyFailJob, FailurePolicyIgnore, FailurePolicyCount, FailurePolicyRetryAfter}
}

// FailurePolicy is a list of rules, like podFailurePolicy of batch/v1.
type FailurePolicy struct {
	// rules are tried in order; the first match decides.
	// +kubebuilder:validation:MaxItems=20
	Rules []FailureRule `json:"rules"`
}

// FailureRule matches failures by the report of the action. All criteria that
// are set must match; at least one must be set. A rule never turns a success into
// a failure: it applies to failed attempts only.
type FailureRule struct {
	// action is the decision of a match. Required.
	Action FailurePolicyAction `json:"action"`

	// exitCodes matches a deploy's exit code. Unset: any.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:Minimum=1
	// +kubebuilder:validation:items:Maximum=255
	ExitCodes []int32 `json:"exitCodes,omitempty"`

	// httpStatus matches the status of an api_call's response, or that with which a build's
	// MCP server behind HTTP refused the call. Unset: any.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:Minimum=100
	// +kubebuilder:validation:items:Maximum=599
	HTTPStatus []int32 `json:"httpStatus,omitempty"`

	// isError matches a build whose tool reported isError. Unset: any.
	// +optional
	IsError *bool `json:"isError,omitempty"`

	// rpcCodes matches the JSON-RPC error code that a build's server answered,
	// e.g. -32602. Unset: any.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	RPCCodes []int64 `json:"rpcCodes,omitempty"`

	// messagePattern matches the failure's message: a regular expression of RE2,
	// found anywhere in it. Unset: any.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	MessagePattern string `json:"messagePattern,omitempty"`

	// Custom holds the criteria on facts without a field of their own, by fact. In JSON they
	// are members of the rule beside the other criteria, each a list of the matching values.
	Custom map[string]JSON `json:"-" jsongen:"rest"`

	// retryAfterSeconds is the wait with action RetryAfter when the other side
	// asked for none or a shorter one. Unset: 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=86400
	RetryAfterSeconds *int32 `json:"retryAfterSeconds,omitempty"`
}

// Concurrency limits how many jobs of one key run at once.
type Concurrency struct {
	// key names the group, within the workspace. Required.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key"`

	// limit is how many jobs of the group may run at once. Unset: 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Limit *int32 `json:"limit,omitempty"`

	// policy says what happens when the limit is reached: Queue waits, Replace
	// cancels every older job of the group, queued or running, Skip cancels this
	// one when limit older jobs of the group run or are ready to. Unset: Queue.
	// +optional
	Policy ConcurrencyPolicy `json:"policy,omitempty"`
}

// ConcurrencyPolicy is the behavior of a job when its group is at the limit.
// +kubebuilder:validation:Enum=Queue;Replace;Skip
type ConcurrencyPolicy string

// The concurrency policies.
const (
	ConcurrencyQueue   ConcurrencyPolicy = "Queue"
	ConcurrencyReplace ConcurrencyPolicy = "Replace"
	ConcurrencySkip    ConcurrencyPolicy = "Skip"
)

// ConcurrencyPolicies lists every policy, in the order in which errors name them.
func ConcurrencyPolicies() []ConcurrencyPolicy {
	return []ConcurrencyPolicy{ConcurrencyQueue, ConcurrencyReplace, ConcurrencySkip}
}

// RateLimit limits how many jobs of one key start in a span of time.
type RateLimit struct {
	// key names the group, within the workspace. A Retry-After that a call of the
	// group received holds up the whole group. Required.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key"`

	// limit is how many attempts of the group may start within perSeconds. Unset: 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Limit *int32 `json:"limit,omitempty"`

	// perSeconds is the span of time, which slides. Required.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	PerSeconds int32 `json:"perSeconds"`
}

// InterruptionPolicy is the treatment of a job whose attempt was lost.
// +kubebuilder:validation:Enum=Rerun;Fail
type InterruptionPolicy string

// The interruption policies.
const (
	InterruptionRerun InterruptionPolicy = "Rerun"
	InterruptionFail  InterruptionPolicy = "Fail"
)

// UpdatePolicy is the effect of applying a changed spec to a finished job.
// +kubebuilder:validation:Enum=Reject;Rerun;Ignore
type UpdatePolicy string

// The update policies.
const (
	UpdateReject UpdatePolicy = "Reject"
	UpdateRerun  UpdatePolicy = "Rerun"
	UpdateIgnore UpdatePolicy = "Ignore"
)

// ForceFinish is an operator's decision about a job's outcome.
type ForceFinish struct {
	// phase is the outcome. Required.
	// +kubebuilder:validation:Enum=Succeeded;Failed;Canceled
	Phase JobPhase `json:"phase"`

	// message is the reason, for later readers of the job. Required.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message"`

	// by is the person or service that decided. The server sets it from the caller's identity.
	// +optional
	By *Creator `json:"by,omitempty"`
}

// TTLSeconds is how long a finished job is kept, by outcome; unset: for ever.
type TTLSeconds struct {
	// succeeded applies to jobs that ended Succeeded.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3153600000
	Succeeded *int64 `json:"succeeded,omitempty"`
	// failed applies to jobs that ended Failed.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3153600000
	Failed *int64 `json:"failed,omitempty"`
	// canceled applies to jobs that ended Canceled.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3153600000
	Canceled *int64 `json:"canceled,omitempty"`
}

// Creator is who created an object.
type Creator struct {
	// email of the person or service, as its token gave it.
	// +optional
	Email string `json:"email,omitempty"`
	// id of the person or service, as its token gave it.
	// +optional
	ID string `json:"id,omitempty"`
}

// JobList is a list of Jobs.
//
// +kubebuilder:object:root=true
type JobList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Job `json:"items"`
}

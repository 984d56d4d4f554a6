package v1

// Reasons of a Job's status and conditions: the closed set.
const (
	// ReasonQueued: waiting for its turn.
	ReasonQueued = "Queued"
	// ReasonStarted: an attempt is running.
	ReasonStarted = "Started"
	// ReasonCompleted: the action succeeded.
	ReasonCompleted = "Completed"
	// ReasonRecorded: a tracking record, which has no side effect.
	ReasonRecorded = "Recorded"

	// ReasonCancelRequested: canceled because spec.cancel was set.
	ReasonCancelRequested = "CancelRequested"
	// ReasonDeleted: stopped because the object was deleted.
	ReasonDeleted = "Deleted"
	// ReasonDependencyFailed: a dependency can no longer be met.
	ReasonDependencyFailed = "DependencyFailed"
	// ReasonReplaced: a newer job of the same concurrency key replaces this one.
	ReasonReplaced = "Replaced"
	// ReasonSkipped: the concurrency key was taken, and the job's policy is Skip.
	ReasonSkipped = "Skipped"
	// ReasonForceFinished: an operator decided the outcome.
	ReasonForceFinished = "ForceFinished"

	// ReasonSuspended: kept from running by spec.suspend.
	ReasonSuspended = "Suspended"
	// ReasonRetrying: an attempt has failed and there will be another.
	ReasonRetrying = "Retrying"
	// ReasonInterrupted: the attempt was lost with its server or worker, and the job is
	// queued again, or has failed where onInterruption says so; or an api_call was sent
	// and not answered, which backoffLimit may retry.
	ReasonInterrupted = "Interrupted"
	// ReasonTooManyAttempts: attempts that do not count towards backoffLimit have
	// reached MaxAttempts.
	ReasonTooManyAttempts = "TooManyAttempts"
	// ReasonStartDeadlineExceeded: startDeadlineSeconds passed in the queue.
	ReasonStartDeadlineExceeded = "StartDeadlineExceeded"
	// ReasonAttemptTimeout: attemptTimeoutSeconds passed, or what the operator allows one
	// call of the MCP server.
	ReasonAttemptTimeout = "AttemptTimeout"
	// ReasonIdleTimeout: idleTimeoutSeconds passed without output or progress.
	ReasonIdleTimeout = "IdleTimeout"
	// ReasonTooManyInterruptions: interrupted more than MaxInterruptions times.
	ReasonTooManyInterruptions = "TooManyInterruptions"
	// ReasonDeadlineExceeded: activeDeadlineSeconds passed.
	ReasonDeadlineExceeded = "DeadlineExceeded"

	// ReasonToolError: the MCP tool reported isError; the message is its own.
	ReasonToolError = "ToolError"
	// ReasonServerUnavailable: the MCP server could not be started or reached.
	ReasonServerUnavailable = "ServerUnavailable"
	// ReasonProtocolError: the other side answered outside its protocol.
	ReasonProtocolError = "ProtocolError"
	// ReasonInvalidArguments: the payload does not fit what it calls: unknown
	// server or tool, arguments against the tool's schema, a flag that is not
	// allowed, a compose file outside the roots.
	ReasonInvalidArguments = "InvalidArguments"
	// ReasonExitCode: docker compose ended with an exit code other than 0.
	ReasonExitCode = "ExitCode"
	// ReasonRolledBack: a deploy failed, and the project's last good revision was brought
	// back.
	ReasonRolledBack = "RolledBack"
	// ReasonRollbackFailed: a deploy failed, and its last good revision could not be
	// brought back either; or a rollback that was asked for failed.
	ReasonRollbackFailed = "RollbackFailed"
	// ReasonCommandUnavailable: docker or its compose plugin could not be run.
	ReasonCommandUnavailable = "CommandUnavailable"
	// ReasonInvalidComposeFile: the compose file, or a file or variable that it needs,
	// is missing or wrong.
	ReasonInvalidComposeFile = "InvalidComposeFile"
	// ReasonPullFailed: an image is not there and could not be pulled.
	ReasonPullFailed = "PullFailed"
	// ReasonBuildFailed: an image could not be built.
	ReasonBuildFailed = "BuildFailed"
	// ReasonPortConflict: a port that a container publishes is taken.
	ReasonPortConflict = "PortConflict"
	// ReasonContainerFailed: a container could not be started, has ended though it is
	// expected to run, or has ended with another exit code than 0.
	ReasonContainerFailed = "ContainerFailed"
	// ReasonCrashLoop: a container was restarted more than health.maxRestarts times.
	ReasonCrashLoop = "CrashLoop"
	// ReasonUnhealthy: a container's health check has failed, or health.probe was not
	// answered as expected.
	ReasonUnhealthy = "Unhealthy"
	// ReasonStageTimeout: one of a deploy's limits passed without progress.
	ReasonStageTimeout = "StageTimeout"
	// ReasonEngineUnavailable: the docker engine does not answer.
	ReasonEngineUnavailable = "EngineUnavailable"
	// ReasonUnexpectedStatus: the response's status is not an expected one.
	ReasonUnexpectedStatus = "UnexpectedStatus"
	// ReasonUnexpectedResponse: a header or the body is not as expected, or lacks what is
	// to be taken from it.
	ReasonUnexpectedResponse = "UnexpectedResponse"
	// ReasonConnectionFailed: no response: name, connection, TLS or a broken read.
	ReasonConnectionFailed = "ConnectionFailed"
	// ReasonAddressRefused: the URL leads to an address that is not allowed.
	ReasonAddressRefused = "AddressRefused"
	// ReasonTimeout: the payload's own timeout passed.
	ReasonTimeout = "Timeout"
	// ReasonImported: the outcome came with an imported file.
	ReasonImported = "Imported"
	// ReasonInternalError: Jobwright itself is at fault; the message says where.
	ReasonInternalError = "InternalError"
)

// Reasons lists the closed set.
func Reasons() []string {
	return []string{
		ReasonQueued, ReasonStarted, ReasonCompleted, ReasonRecorded,
		ReasonCancelRequested, ReasonDeleted, ReasonDependencyFailed, ReasonReplaced, ReasonSkipped, ReasonForceFinished,
		ReasonSuspended, ReasonRetrying, ReasonInterrupted, ReasonTooManyAttempts, ReasonTooManyInterruptions,
		ReasonStartDeadlineExceeded, ReasonAttemptTimeout, ReasonIdleTimeout, ReasonDeadlineExceeded,
		ReasonToolError, ReasonServerUnavailable, ReasonProtocolError, ReasonInvalidArguments,
		ReasonExitCode, ReasonRolledBack, ReasonRollbackFailed, ReasonCommandUnavailable, ReasonInvalidComposeFile, ReasonPullFailed,
		ReasonBuildFailed, ReasonPortConflict, ReasonContainerFailed, ReasonCrashLoop, ReasonUnhealthy, ReasonStageTimeout, ReasonEngineUnavailable,
		ReasonUnexpectedStatus, ReasonUnexpectedResponse, ReasonConnectionFailed, ReasonAddressRefused, ReasonTimeout,
		ReasonImported, ReasonInternalError,
	}
}

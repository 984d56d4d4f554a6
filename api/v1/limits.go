package v1

import "time"

// MaxInterruptions is how many interruptions a job survives; one more ends it
// Failed with reason TooManyInterruptions. Five is far above what planned
// restarts cause and low enough that a job which kills its worker does so only a
// handful of times.
const MaxInterruptions = 5

// MaxAttempts is how many attempts one run of a job may have in all. It bounds what
// failure rules that do not count (Ignore, RetryAfter) could repeat for ever; it lies
// ten times above the highest backoffLimit.
const MaxAttempts = 10_000

// MaxHistory is how many earlier runs a job's status keeps: enough to see a pattern,
// little enough to be carried along with every write of the status.
const MaxHistory = 10

// DependencyWait is how long a dependency that does not exist is waited for when the
// job has no startDeadlineSeconds: long enough for one that a person applies later,
// short enough that a misspelt name is found out the same day.
const DependencyWait = time.Hour

// Limits on scheduling and retries, as their fields document them.
const (
	maxPriority      = 1000
	maxDependencies  = 100
	maxBackoffLimit  = 1000
	maxBackoffFactor = 10
	maxFailureRules  = 20
	maxRuleValues    = 100
	maxPattern       = 1024
	maxMessage       = 1024
	maxRetryAfter    = 86_400
	maxRateLimit     = 10_000
	maxRateSeconds   = 86_400
)

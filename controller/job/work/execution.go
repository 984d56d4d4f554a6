package work

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/store"
)

// Why an attempt's context ends.
var (
	errStopped  = errors.New("the job was asked to stop")
	errShutdown = errors.New("the server shuts down")
	errDeleted  = errors.New("the job was deleted")
	errFenced   = errors.New("the attempt does not hold the job any more")
)

// execution is one attempt in this worker.
type execution struct {
	uid     uuid.UUID
	key     store.Key
	id      string
	jobType v1.JobType
	cancel  context.CancelCauseFunc
	sink    *sink // nil in a recovery
	started time.Time
	born    time.Time // when this worker began with it
	// quietSince is the last output or progress, counted from born on: on the clock of the
	// process, which nobody sets.
	quietSince atomic.Int64
	state      controller.State // guarded by the queue's lock

	// Guarded by the worker's lock.
	due     time.Time // when its first reconcile is due; zero: none is, or a reconcile has noted it
	holding *sink     // the sink while it holds lines back; nil: none does

	// The reconcile's own.
	job           *v1.Job                // as it was read or written last; nil: to be read
	stop          *lifecycle.StopRequest // why it was asked to stop; nil: it was not
	unconfirmed   *decided               // a status write whose answer was lost; nil: none
	spooled       bool                   // the outcome is on this machine's disk, since the store did not take it
	spooledStatus bool                   // with the status that may have been written

	mu       sync.Mutex
	told     uint64            // the version that the dispatcher has told of
	writing  bool              // a status is on its way to the store
	deleted  bool              // the job was deleted
	done     bool              // the job was given back
	outcome  *action.Outcome   // set once, when the attempt has ended
	pending  *lifecycle.Report // progress that is yet to be written
	flushing *time.Timer
	flushed  time.Time
}

// newExecution returns the execution of the attempt in the job's status.
func newExecution(uid uuid.UUID, job *v1.Job, cancel context.CancelCauseFunc, started time.Time) *execution {
	now := time.Now()
	return &execution{
		uid: uid, key: store.Key{Kind: v1.KindJob, Namespace: job.Namespace, Name: job.Name},
		id: job.Status.CurrentAttempt.ID, jobType: job.Spec.Type,
		cancel: cancel, started: started, born: now, flushed: now, job: job,
	}
}

// QueueState implements controller.Item.
func (x *execution) QueueState() *controller.State { return &x.state }

// active is when there was output or progress last.
func (x *execution) active() time.Time { return x.born.Add(time.Duration(x.quietSince.Load())) }

// touch notes output or progress.
func (x *execution) touch(now time.Time) { x.quietSince.Store(int64(now.Sub(x.born))) }

// holds reports whether the attempt holds the job.
func (x *execution) holds(job *v1.Job, worker string) bool {
	attempt := job.Status.CurrentAttempt
	return attempt != nil && attempt.ID == x.id && attempt.Worker == worker
}

// known returns the job as it was read or written last, unless a later version was told of.
func (x *execution) known(told uint64) *v1.Job {
	if x.job == nil {
		return nil
	}
	if version, err := strconv.ParseUint(x.job.ResourceVersion, 10, 64); err == nil && told > version {
		return nil
	}
	return x.job
}

// ended is the outcome, once there is one.
func (x *execution) ended() *action.Outcome {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.outcome
}

// end notes the outcome.
func (x *execution) end(o action.Outcome) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.flushing != nil {
		x.flushing.Stop()
	}
	x.outcome = &o
}

// tell notes a version that the dispatcher tells of, and reports whether that wants a
// reconcile: while a status is being written, endWrite reports it.
func (x *execution) tell(version uint64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.told = max(x.told, version)
	return !x.writing
}

// beginWrite notes that a status is being written, and returns the last version told of.
func (x *execution) beginWrite() (told uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.writing = true
	return x.told
}

// endWrite notes that it was, or was not, and reports whether a later version than known
// was told of: that of somebody else.
func (x *execution) endWrite(known uint64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.writing = false
	return x.told > known
}

// take returns the outcome, if there is one, and the progress that is yet to be written.
func (x *execution) take() (*action.Outcome, *lifecycle.Report) {
	x.mu.Lock()
	defer x.mu.Unlock()
	report := x.pending
	x.pending = nil
	if report != nil {
		x.flushed = time.Now()
	}
	return x.outcome, report
}

// putBack merges progress that could not be written with later progress; nil: none.
func (x *execution) putBack(p *lifecycle.Report) {
	if p == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	later := x.pending
	x.pending = p
	if later == nil {
		return
	}
	p.Pct = max(p.Pct, later.Pct)
	if later.Step != "" {
		p.Step = later.Step
	}
	if later.Result != nil {
		p.Result = later.Result
	}
}

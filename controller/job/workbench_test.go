package job_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// script is how the attempts of a job end, one after another; those beyond it succeed.
type script struct {
	ends       []string
	repeatable bool
}

// workbench is where the actions of a world's jobs are carried out, over all
// controllers that come and go. It checks the invariants after every step.
type workbench struct {
	mu      sync.Mutex
	scripts map[string]script
	atWork  map[string]*piece // by attempt
	wrong   []string
	open    bool     // nothing hangs any more
	current *process // that runs now
}

// piece is one attempt at work.
type piece struct {
	uid     types.UID
	name    string
	key     string
	hangs   bool
	release chan struct{}
}

// process is what a controller's process carries out; it dies with it.
type process struct {
	bench  *workbench
	dead   chan struct{}
	began  time.Time
	starts int // of jobs with the rate limit
}

func newWorkbench() *workbench {
	return &workbench{scripts: map[string]script{}, atWork: map[string]*piece{}}
}

func (b *workbench) process() *process {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = &process{bench: b, dead: make(chan struct{}), began: time.Now()}
	return b.current
}

// plan sets how the next attempts of the job with that name end.
func (b *workbench) plan(name string, s script) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.scripts[name] = s
}

// Run implements action.Runner.
func (p *process) Run(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
	end, repeatable, work, alive := p.begin(a)
	if !alive {
		return action.Outcome{Verdict: action.Lost}
	}
	defer p.bench.leave(a.ID)
	out.Progress(50, end)
	switch end {
	case "failure":
		return action.Fail(v1.ReasonExitCode, "exit 1")
	case "tool error":
		o := action.Fail(v1.ReasonToolError, "the tool says no")
		o.Facts = o.Facts.With(v1.FactToolError, true)
		return o
	case "panic":
		panic("as planned")
	case "hang":
		select {
		case <-work.release:
		case <-ctx.Done():
			return action.Outcome{Verdict: action.Stopped, Repeatable: repeatable}
		case <-p.dead:
			return action.Outcome{Verdict: action.Lost}
		}
	}
	return action.Outcome{Verdict: action.Succeeded}
}

// Recover implements action.Runner.
func (p *process) Recover(_ context.Context, a action.Attempt) (action.Outcome, error) {
	p.bench.mu.Lock()
	defer p.bench.mu.Unlock()
	if p.bench.atWork[a.ID] != nil && !p.isDead() {
		p.bench.wrong = append(p.bench.wrong, fmt.Sprintf("attempt %s was recovered while it was at work", a.ID))
	}
	return action.Outcome{Verdict: action.Lost, Repeatable: p.bench.scripts[a.Job.Name].repeatable}, nil
}

func (p *process) isDead() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

// begin takes an attempt in, and says what is wrong about that.
func (p *process) begin(a action.Attempt) (end string, repeatable bool, work *piece, alive bool) {
	b := p.bench
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.isDead() {
		return "", false, nil, false
	}
	work = &piece{uid: a.Job.UID, name: a.Job.Name, release: make(chan struct{})}
	if c := a.Job.Spec.Concurrency; c != nil {
		work.key = c.Key
	}
	sharing := 1
	for id, other := range b.atWork {
		if other.uid == work.uid {
			b.wrong = append(b.wrong, fmt.Sprintf("%s began while %s of the same job was at work", a.ID, id))
		}
		if other.key == work.key {
			sharing++
		}
	}
	if work.key != "" && sharing > keyLimits[work.key] {
		b.wrong = append(b.wrong, fmt.Sprintf("%d jobs with key %s at work, %d may", sharing, work.key, keyLimits[work.key]))
	}
	if len(b.atWork) >= modelSlots {
		b.wrong = append(b.wrong, fmt.Sprintf("%d attempts at work, %d may", len(b.atWork)+1, modelSlots))
	}
	if a.Job.Spec.RateLimit != nil {
		// Since the process began, so that it holds however slow the machine is; the next
		// process knows only those starts that are in the store still.
		p.starts++
		if most := rateLimit * (1 + int(time.Since(p.began)/time.Second)); p.starts > most {
			b.wrong = append(b.wrong, fmt.Sprintf("%d starts in %s, at most %d a second may", p.starts, time.Since(p.began), rateLimit))
		}
	}
	s := b.scripts[a.Job.Name]
	end = "success"
	if n := int(a.Job.Status.Attempts) - 1; n < len(s.ends) {
		end = s.ends[n]
	}
	work.hangs = end == "hang" && !b.open
	if end == "hang" && b.open {
		end = "success"
	}
	b.atWork[a.ID] = work
	return end, s.repeatable, work, true
}

func (b *workbench) leave(attempt string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.atWork, attempt)
}

// hangs reports whether the attempt is at work and will not end by itself.
func (b *workbench) hangs(attempt string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	work := b.atWork[attempt]
	return work != nil && work.hangs
}

// hanging is how many attempts will not end by themselves, and how many of them share
// the key.
func (b *workbench) hanging(key string) (all, sharing int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, work := range b.atWork {
		if work.hangs {
			all++
			if work.key == key {
				sharing++
			}
		}
	}
	return all, sharing
}

// release lets the attempts of that job end.
func (b *workbench) release(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, work := range b.atWork {
		if work.name == name && work.hangs {
			work.hangs = false
			close(work.release)
		}
	}
}

// releaseAll lets everything end that hangs, from now on.
func (b *workbench) releaseAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = true
	for _, work := range b.atWork {
		if work.hangs {
			work.hangs = false
			close(work.release)
		}
	}
}

// kill ends the process and whatever it works at.
func (b *workbench) kill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.current.dead)
	clear(b.atWork)
}

// broken is what was wrong so far.
func (b *workbench) broken() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.wrong)
}

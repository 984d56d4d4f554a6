package print

import (
	"fmt"
	"io"
	"strings"
	"sync"

	v1 "jobwright.dev/api/v1"
)

// Progress shows the progress of a job below its log: a moving bar on a terminal, elsewhere
// one line for each new step.
type Progress struct {
	out   io.Writer
	moves bool

	mu   sync.Mutex
	bar  string // what stands on the terminal's last line
	last string
}

// NewProgress returns a Progress that writes to out.
func NewProgress(out io.Writer) *Progress { return &Progress{out: out, moves: terminal(out)} }

// Line prints a line of the log above the bar.
func (p *Progress) Line(out io.Writer, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	fmt.Fprintln(out, text)
	p.draw()
}

// Job shows the phase and progress of the job.
func (p *Progress) Job(job *v1.Job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := job.Status
	if !p.moves {
		if text := strings.TrimSpace(fmt.Sprintf("%s %s", strings.ToLower(string(s.Phase)), s.Step)); text != p.last && !s.Phase.Terminal() {
			p.last = text
			fmt.Fprintf(p.out, "job/%s %s\n", job.Name, text)
		}
		return
	}
	const width = 30
	done := int(s.Pct) * width / 100
	p.erase()
	p.bar = fmt.Sprintf("%-9s [%s%s] %3d%% %s", s.Phase, strings.Repeat("█", done), strings.Repeat("·", width-done), s.Pct, s.Step)
	p.draw()
}

// End removes the bar.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.bar = ""
}

func (p *Progress) erase() {
	if p.bar != "" {
		fmt.Fprint(Raw(p.out), "\r\x1b[K")
	}
}

func (p *Progress) draw() {
	if p.bar != "" {
		fmt.Fprint(p.out, p.bar)
	}
}

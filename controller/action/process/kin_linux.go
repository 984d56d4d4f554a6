package process

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// kin are the programs that were started and have not been waited for. The kernel keeps one
// list of children for the whole program, so this is one too: whoever waits for a child that
// is not in it takes nobody's Wait away.
var kin = struct {
	sync.Mutex
	adopting bool
	born     map[int]uint64 // by pid
}{born: map[int]uint64{}}

// orphanPause lies between two looks for orphans that have ended.
const orphanPause = time.Second

// AdoptOrphans makes this program the parent of every process whose parents it has started
// and that have ended, so that none of them is lost to it, until ctx ends. A program with
// children that it has not started by Start must not call it.
func AdoptOrphans(ctx context.Context) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become the parent of orphans: %w", err)
	}
	kin.Lock()
	kin.adopting = true
	kin.Unlock()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGCHLD)
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case <-signals:
			case <-ctx.Done():
				return
			}
			orphans() // those that have ended are waited for
			pause := time.NewTimer(orphanPause)
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
				return
			}
		}
	}()
	return nil
}

// relative is a process that was seen, known by its number and the moment of its start.
type relative struct {
	pid  int
	born uint64 // in ticks of the kernel since it was booted
}

// alive reports whether it is there still, and no zombie.
func (r relative) alive() bool {
	born, state, err := stat(r.pid)
	return err == nil && born == r.born && state != 'Z' && state != 'X'
}

func (r relative) String() string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", r.pid))
	if err != nil {
		return strconv.Itoa(r.pid)
	}
	return fmt.Sprintf("%d (%s)", r.pid, strings.TrimSpace(string(name)))
}

// stat reads when a process was started and its state.
func stat(pid int) (born uint64, state byte, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	// Behind the name, which may hold anything: state, parent, … and the start as the 20th.
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	born, err = strconv.ParseUint(fields[19], 10, 64)
	return born, fields[0][0], err
}

// children are the direct children of a process, as far as the kernel tells.
func children(pid int) []int {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil
	}
	var found []int
	for _, thread := range threads {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, thread.Name()))
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(data)) {
			if child, err := strconv.Atoi(field); err == nil {
				found = append(found, child)
			}
		}
	}
	return found
}

// attributes are how a program is started. The kernel's signal comes when the thread ends
// that has started the program; threads of Go end with their program, unless a goroutine
// ends that is locked to one, which nobody does here.
func attributes(spec Spec) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if spec.Dies {
		a.Pdeathsig = syscall.SIGKILL
	}
	return a
}

// started starts a program and notes it; meanwhile nobody looks for orphans. It returns
// when the program was born; 0, where that is not known, is before everything.
func started(run func() (int, error)) (uint64, error) {
	kin.Lock()
	defer kin.Unlock()
	pid, err := run()
	if err != nil {
		return 0, err
	}
	born, _, _ := stat(pid)
	kin.born[pid] = born
	return born, nil
}

// ended notes that a program was waited for. Its number may be another's already.
func ended(pid int, born uint64) {
	kin.Lock()
	defer kin.Unlock()
	if kin.born[pid] == born {
		delete(kin.born, pid)
	}
}

// orphans are the processes that this program has adopted. Those that have ended are waited
// for.
func orphans() []relative {
	kin.Lock()
	defer kin.Unlock()
	if !kin.adopting {
		return nil
	}
	var found []relative
	for _, pid := range children(os.Getpid()) {
		if _, own := kin.born[pid]; own {
			continue
		}
		born, state, err := stat(pid)
		switch {
		case err != nil:
		case state == 'Z':
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil) // it has ended: that is all there is to know
		default:
			found = append(found, relative{pid, born})
		}
	}
	return found
}

// Note remembers what the program has started until now. Stop and Kill end it also when its
// parents have ended by themselves and it has given up group and identity.
func (p *Process) Note() {
	p.noting.Lock()
	defer p.noting.Unlock()
	next := []int{p.Pid()}
	for len(next) > 0 {
		var below []int
		for _, pid := range next {
			for _, child := range children(pid) {
				if born, _, err := stat(child); err == nil {
					p.family = append(p.family, relative{child, born})
					below = append(below, child)
				}
			}
		}
		next = below
	}
}

// endKin kills what the program has started and left, wherever it went. An orphan that
// another running program may have left as well is not killed; the error names it.
func (p *Process) endKin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reapTime)
	defer cancel()
	for {
		left, doubtful := p.left()
		for _, r := range left {
			_ = syscall.Kill(r.pid, syscall.SIGKILL) // it may have ended by itself
		}
		switch {
		case len(left) > 0:
		case len(doubtful) > 0:
			return fmt.Errorf("processes %v have cut themselves loose, and may be of this program or of another", doubtful)
		default:
			return nil
		}
		pause := time.NewTimer(reapPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("processes %v are still there %s after they were killed", left, reapTime)
		}
	}
}

// left returns the processes of the program that still run, and those that may belong to it.
func (p *Process) left() (left, doubtful []relative) {
	p.noting.Lock()
	family := p.family
	p.noting.Unlock()
	known := map[relative]bool{}
	for _, r := range family {
		if !known[r] && r.alive() {
			left = append(left, r)
		}
		known[r] = true
	}
	for _, orphan := range orphans() {
		switch {
		case known[orphan] || orphan.born < p.born:
		case mayBeAnothers(orphan):
			doubtful = append(doubtful, orphan)
		default:
			left = append(left, orphan)
		}
	}
	return left, doubtful
}

// mayBeAnothers reports whether a program that runs was there when the orphan was born.
func mayBeAnothers(orphan relative) bool {
	kin.Lock()
	defer kin.Unlock()
	for _, born := range kin.born {
		if born <= orphan.born {
			return true
		}
	}
	return false
}

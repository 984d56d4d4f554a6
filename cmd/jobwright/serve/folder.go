package serve

import (
	"context"
	"errors"
	"path/filepath"
	"runtime/debug"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/datadir"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/process"
	"jobwright.dev/controller/job/spool"
	"jobwright.dev/store"
	eventfiles "jobwright.dev/store/events/file"
	"jobwright.dev/store/file"
	logfiles "jobwright.dev/store/logs/file"
)

// folder is the open data folder.
type folder struct {
	store     *file.Store
	logs      *logfiles.Archive
	events    *eventfiles.Archive
	revisions *revisions.Store
	outcomes  *spool.Spool
	// worker is the identity of the folder's worker, token the operator's bearer token.
	worker, token string
}

// openFolder opens the stores of the data folder. The store of objects comes first: its
// lock keeps a second server out of the others.
func (s setup) openFolder() (_ *folder, err error) {
	f := &folder{}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if f.store, err = file.Open(s.dataDir, file.Options{
		Log: s.log, Registerer: s.metrics, MinFree: s.minFree, Kinds: s.kinds, Admit: s.kinds.Validate, AcceptEdited: s.acceptEdited, Workspaces: true, Idle: debug.FreeOSMemory,
	}); err != nil {
		return nil, err
	}
	debug.FreeOSMemory() // what reading the files has taken
	if f.logs, err = logfiles.Open(s.inFolder("logs"), s.maxLogBytes); err != nil {
		return nil, err
	}
	if f.events, err = eventfiles.Open(eventfiles.Options{Dir: s.inFolder("events"), MaxBytes: s.maxEventBytes, Log: s.log, Registerer: s.metrics}); err != nil {
		return nil, err
	}
	if f.revisions, err = revisions.Open(s.inFolder(datadir.RevisionsFolder), s.maxRevisions); err != nil {
		return nil, err
	}
	var before string
	if f.worker, before, err = datadir.WorkerIdentity(s.dataDir); err != nil {
		return nil, err
	}
	if before != "" {
		s.log.Info("the data folder is a copy, or lies on another disk than before: this server is a new worker; attempts of the worker before are taken over when their leases end, its processes and containers are left alone", "worker", f.worker, "before", before)
	}
	if f.token, err = datadir.OperatorToken(s.dataDir); err != nil {
		return nil, err
	}
	var unread []error
	if f.outcomes, unread, err = spool.Open(s.inFolder("outcomes")); err != nil {
		return nil, err
	}
	for _, err := range unread {
		s.log.Error(err, "the outcome of an attempt before the last stop cannot be read; its job counts as interrupted")
	}
	return f, nil
}

func (s setup) inFolder(name string) string { return filepath.Join(s.dataDir, name) }

// close closes the open stores, the store of objects last.
func (f *folder) close() (err error) {
	if f.events != nil {
		err = f.events.Close()
	}
	if f.logs != nil {
		err = errors.Join(err, f.logs.Close())
	}
	if f.store != nil {
		err = errors.Join(err, f.store.Close())
	}
	return err
}

// recoverFolder ends the processes that a dead server of the folder left, and makes the
// default workspace. The store's lock is held, so every process with the worker's identity
// belongs to a server that died.
func (s setup) recoverFolder(ctx context.Context, f *folder) error {
	if err := process.AdoptOrphans(ctx); err != nil {
		return err
	}
	orphans, err := process.Reap(ctx, f.worker, "")
	if err != nil {
		return err
	}
	if orphans > 0 {
		s.log.Info("ended processes that a dead server left behind", "processes", orphans)
	}
	if err := ensureDefaultWorkspace(ctx, f.store); err != nil {
		return err
	}
	return s.judgeProjects(ctx, f)
}

// fullDiskPeriod is how often a server that started without room for new work looks whether
// there is some.
const fullDiskPeriod = 5 * time.Second

// warnOfFullDisk logs why the store takes no new work at the start. The default workspace,
// which could not be made then, is made as soon as there is room; stop ends the waiting.
func (s setup) warnOfFullDisk(ctx context.Context, objects *file.Store) (stop func()) {
	err := objects.Ready()
	if err == nil {
		return func() {}
	}
	s.log.Error(err, "the server takes no new work until this is mended; reads and running jobs go on")
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := untilRoom(ctx, objects.Ready, func() error { return ensureDefaultWorkspace(ctx, objects) }); err == nil {
			s.log.Info("the server takes new work")
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// untilRoom calls then once ready has no error, again if then fails, and returns nil after
// both went well.
func untilRoom(ctx context.Context, ready, then func() error) error {
	look := time.NewTicker(fullDiskPeriod)
	defer look.Stop()
	for {
		if ready() == nil && then() == nil {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func ensureDefaultWorkspace(ctx context.Context, objects store.Store) error {
	_, err := objects.Create(ctx, &v1.Workspace{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace},
		ObjectMeta: metav1.ObjectMeta{Name: v1.DefaultWorkspace},
	})
	if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrReadOnly) {
		return nil // there already, or to be made when there is room again
	}
	return err
}

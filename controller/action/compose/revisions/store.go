package revisions

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"jobwright.dev/store/filedb"
)

// DefaultMax is how many revisions of a project are kept: as many as Kubernetes keeps of
// a Deployment.
const DefaultMax = 10

// MinMax is how many must be kept at least: the one that runs, and one to go back to.
const MinMax = 2

// maxFile bounds what is read of a revision's file; a rendered compose file of hundreds
// of services has less than a tenth of it.
const maxFile = 16 << 20

// ErrNotFound means that there is no such revision.
var ErrNotFound = errors.New("no such revision")

// projectName is compose's own rule, and keeps a name inside the folder.
var projectName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// Store is a folder of revisions. It is safe for concurrent use within one process; the
// lock of the data folder it lies in keeps others out.
type Store struct {
	dir string
	max int
	mu  sync.Mutex
}

// Open returns the store in dir, which is made when it is missing. limit is how many
// revisions of a project are kept.
func Open(dir string, limit int) (*Store, error) {
	if limit < MinMax {
		return nil, fmt.Errorf("revisions: at least %d of a project are kept, not %d", MinMax, limit)
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("revisions: %w", err)
	}
	return &Store{dir: dir, max: limit}, nil
}

// Path is where a revision's file is.
func (s *Store) Path(project string, number int64) string {
	return filepath.Join(s.dir, project, strconv.FormatInt(number, 10)+".yaml")
}

// Projects are those that have revisions, sorted.
func (s *Store) Projects() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list projects with revisions: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() && projectName.MatchString(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// Numbers are those of a project's revisions, the oldest first, whether their files are
// good or not. A project without any has none.
func (s *Store) Numbers(project string) ([]int64, error) {
	if !projectName.MatchString(project) {
		return nil, fmt.Errorf("list revisions: %q is no name of a compose project", project)
	}
	entries, err := os.ReadDir(filepath.Join(s.dir, project))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list revisions of %s: %w", project, err)
	}
	var numbers []int64
	for _, entry := range entries {
		text, ok := strings.CutSuffix(entry.Name(), ".yaml")
		n, err := strconv.ParseInt(text, 10, 64)
		if ok && err == nil && n > 0 && strconv.FormatInt(n, 10) == text {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// Get reads a revision. Errors: ErrNotFound, and ErrDamaged with the file's name and what
// to do.
func (s *Store) Get(project string, number int64) (*Revision, error) {
	if !projectName.MatchString(project) {
		return nil, fmt.Errorf("revision %d of %q: %w", number, project, ErrNotFound)
	}
	path := s.Path(project, number)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("revision %d of %s: %w", number, project, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("revision %d of %s: %w", number, project, err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("revision %d of %s: %s has %d bytes, at most %d are read", number, project, path, info.Size(), maxFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("revision %d of %s: %w", number, project, err)
	}
	r, err := decode(data)
	if err == nil && (r.Number != number || r.Project != project) {
		err = fmt.Errorf("%w: it says that it is revision %d of %s", ErrDamaged, r.Number, r.Project)
	}
	if err != nil {
		return nil, fmt.Errorf("revision %d of %s: %s: %w; bring it back from a backup, or delete it and deploy again", number, project, path, err)
	}
	return r, nil
}

// Last is the newest revision of a project, whoever deployed it. Errors are Get's: a
// newest revision that is damaged is not passed over for an older one.
func (s *Store) Last(project string) (*Revision, error) {
	numbers, err := s.Numbers(project)
	if err != nil {
		return nil, err
	}
	if len(numbers) == 0 {
		return nil, fmt.Errorf("project %s: %w", project, ErrNotFound)
	}
	return s.Get(project, numbers[len(numbers)-1])
}

// Add gives the revision the project's next number, writes it, and removes the oldest
// ones beyond the limit, which it returns where they can still be read. The revision is
// kept when it returns without an error.
func (s *Store) Add(r *Revision) (dropped []*Revision, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	numbers, err := s.Numbers(r.Project)
	if err != nil {
		return nil, err
	}
	r.Number = 1
	if len(numbers) > 0 {
		r.Number = numbers[len(numbers)-1] + 1
	}
	data, err := r.encode()
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("revision %d of %s has %d bytes, at most %d are kept", r.Number, r.Project, len(data), maxFile)
	}
	if err := s.write(r.Project, r.Number, data); err != nil {
		return nil, fmt.Errorf("write revision %d of %s: %w", r.Number, r.Project, err)
	}
	for _, old := range numbers[:max(len(numbers)+1-s.max, 0)] {
		if gone, err := s.Get(r.Project, old); err == nil {
			dropped = append(dropped, gone)
		}
		if err := os.Remove(s.Path(r.Project, old)); err != nil {
			return dropped, fmt.Errorf("remove an old revision: %w", err)
		}
	}
	return dropped, nil
}

// write writes a file as invariant 1 says.
func (s *Store) write(project string, number int64, data []byte) error {
	if err := filedb.Sweep(filepath.Join(s.dir, project)); err != nil {
		return err
	}
	return filedb.WriteBytes(s.Path(project, number), data)
}

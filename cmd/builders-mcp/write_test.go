package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// tree is the text of all files below a folder by path; a folder without any has a path
// that ends in "/", a symbolic link's text is where it leads.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == "." {
			return err
		}
		switch {
		case d.IsDir():
			entries, err := os.ReadDir(path)
			if len(entries) == 0 {
				found[name+"/"] = ""
			}
			return err
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			found[name] = "→ " + to
			return err
		}
		data, err := os.ReadFile(path)
		found[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// write writes a file and the folders above it.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func openRoot(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func apply(ctx context.Context, root *os.Root, in applyInput, report func(done int)) error {
	_, err := applyBuilder(ctx, root, in, func(mcp.LoggingLevel, string) {}, func(done, _ int, _ string) { report(done) })
	return err
}

func silent(int) {}

// TestRollback lets each file of a builder fail, in each way, with other files to create,
// to overwrite and to leave alone around it: nothing may change.
func TestRollback(t *testing.T) {
	const files = 6
	in := applyInput{ID: "quota-check-lib", Force: true}
	names := []string{"memory.ts", "migration.sql", "postgres.ts", "quota.test.ts", "quota.ts", "types.ts"}
	for name, fault := range map[string]struct {
		// strike is called before file n is moved to its place.
		strike func(t *testing.T, dir string, cancel func(), n int)
		want   string
		undo   func(before map[string]string, n int) // what strike itself changed
	}{
		"the call is canceled": {
			strike: func(_ *testing.T, _ string, cancel func(), _ int) { cancel() },
			want:   errCanceled.Error(),
		},
		"someone else writes the file": {
			strike: func(t *testing.T, dir string, _ func(), n int) { write(t, dir, "lib/quota/"+names[n], "theirs") },
			want:   "lib/quota/NAME: changed in the meantime",
			undo:   func(before map[string]string, n int) { before["lib/quota/"+names[n]] = "theirs" },
		},
		"what was staged is gone": {
			strike: func(t *testing.T, dir string, _ func(), n int) {
				if err := os.Remove(filepath.Join(dir, "lib/quota", names[n]+staging)); err != nil {
					t.Fatal(err)
				}
			},
			want: "no such file",
		},
	} {
		for n := 1; n < files; n++ {
			t.Run(name+": "+names[n], func(t *testing.T) {
				dir := t.TempDir()
				write(t, dir, "lib/quota/memory.ts", "mine")
				write(t, dir, "lib/quota/postgres.ts", "mine, too")
				if err := os.Chmod(filepath.Join(dir, "lib/quota/memory.ts"), 0o604); err != nil {
					t.Fatal(err)
				}
				before := tree(t, dir)
				ctx, cancel := context.WithCancel(t.Context())
				err := apply(ctx, openRoot(t, dir), in, func(done int) {
					if done == n {
						fault.strike(t, dir, cancel, n)
					}
				})
				if want := strings.ReplaceAll(fault.want, "NAME", names[n]); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
				if fault.undo != nil {
					fault.undo(before, n)
				}
				if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
					t.Error(diff)
				}
				if info, err := os.Stat(filepath.Join(dir, "lib/quota/memory.ts")); err != nil || info.Mode().Perm() != 0o604 {
					t.Errorf("the mode is %v (%v)", info.Mode(), err)
				}
			})
		}
	}
}

// TestStagingFails has each file fail before the first is moved to its place.
func TestStagingFails(t *testing.T) {
	for _, name := range []string{"memory.ts", "migration.sql", "postgres.ts", "quota.test.ts", "quota.ts", "types.ts"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "lib/quota/migration.sql", "mine")
			write(t, dir, "lib/quota/"+name+staging+"/keep", "theirs")
			before := tree(t, dir)
			err := apply(t.Context(), openRoot(t, dir), applyInput{ID: "quota-check-lib", Force: true}, func(int) {
				t.Error("a file was moved to its place")
			})
			if err == nil || !strings.HasPrefix(err.Error(), "lib/quota/"+name+": ") || !strings.HasSuffix(err.Error(), "; nothing was changed") {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRollbackThatFails has someone put a folder where a file was just made: it is theirs,
// and the answer says what is left; the rest is taken back.
func TestRollbackThatFails(t *testing.T) {
	dir := t.TempDir()
	err := apply(t.Context(), openRoot(t, dir), applyInput{ID: "quota-check-lib"}, func(done int) {
		if done != 2 {
			return
		}
		if err := os.Remove(filepath.Join(dir, "lib/quota/memory.ts")); err != nil {
			t.Fatal(err)
		}
		write(t, dir, "lib/quota/memory.ts/keep", "theirs")
		write(t, dir, "lib/quota/postgres.ts", "theirs")
	})
	for _, want := range []string{"lib/quota/postgres.ts: changed in the meantime", "could not all be taken back", "memory.ts"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	want := map[string]string{"lib/quota/memory.ts/keep": "theirs", "lib/quota/postgres.ts": "theirs"}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestNothingIsLeft fails before anything is written: no folder, no staged file stays.
func TestNothingIsLeft(t *testing.T) {
	in := applyInput{ID: "supabase-auth-pages"}
	for name, test := range map[string]struct {
		prepare func(t *testing.T, dir string)
		in      func(*applyInput)
		want    string
	}{
		"a folder that is a file": {
			prepare: func(t *testing.T, dir string) { write(t, dir, "app/auth/signup", "mine") },
			want:    "app/auth/signup/page.tsx: app/auth/signup is there and is no folder",
		},
		"a file that is a folder": {
			prepare: func(t *testing.T, dir string) { write(t, dir, "proxy.ts/x", "mine") },
			want:    "proxy.ts: is there and is no file (d---------)",
		},
		"a staged file's name that is a folder": {
			prepare: func(t *testing.T, dir string) { write(t, dir, "proxy.ts"+staging+"/x", "mine") },
			want:    "proxy.ts: ",
		},
		"a file too large to be put back": {
			prepare: func(t *testing.T, dir string) {
				write(t, dir, "proxy.ts", "")
				if err := os.Truncate(filepath.Join(dir, "proxy.ts"), maxSize+1); err != nil {
					t.Fatal(err)
				}
			},
			in:   func(in *applyInput) { in.Force = true },
			want: "proxy.ts: is there and has 8388609 bytes, more than a builder replaces (8388608)",
		},
		"a folder of one file that is another file": {
			in: func(in *applyInput) {
				in.Variables = map[string]scalar{"APP_DIR": "proxy.ts"}
			},
			want: "proxy.ts: ",
		},
		"a canceled call": {
			in:   func(*applyInput) {},
			want: errCanceled.Error(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if test.prepare != nil {
				test.prepare(t, dir)
			}
			before := tree(t, dir)
			in := in
			if test.in != nil {
				test.in(&in)
			}
			ctx, cancel := context.WithCancel(t.Context())
			if strings.Contains(name, "canceled") {
				cancel()
			}
			defer cancel()
			err := apply(ctx, openRoot(t, dir), in, silent)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSymbolicLinks has a link at every part of a file's path, leading out of the root,
// inside it and nowhere: it is refused, and what it leads to is not touched.
func TestSymbolicLinks(t *testing.T) {
	in := applyInput{ID: "nextjs-api-route", Variables: map[string]scalar{"ROUTE_NAME": "health"}, Target: "site", Force: true}
	for _, part := range []string{"site", "site/app", "site/app/api", "site/app/api/health", "site/app/api/health/route.ts"} {
		for where, to := range map[string]func(outside, dir string) string{
			"out of the root":           func(outside, _ string) string { return outside },
			"out of the root, relative": func(outside, dir string) string { return up(dir, part, outside) },
			"inside":                    func(_, dir string) string { return up(dir, part, filepath.Join(dir, "inside")) },
			"nowhere":                   func(_, _ string) string { return "nothing" },
		} {
			t.Run(part+" leads "+where, func(t *testing.T) {
				dir, outside := t.TempDir(), t.TempDir()
				if strings.HasSuffix(part, ".ts") {
					outside = filepath.Join(outside, "route.ts")
					write(t, outside, "../route.ts", "theirs")
					write(t, dir, "inside", "theirs")
				} else {
					write(t, dir, "inside/keep", "theirs")
				}
				link := filepath.Join(dir, part)
				if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(to(outside, dir), link); err != nil {
					t.Fatal(err)
				}
				before, beforeOutside := tree(t, dir), tree(t, filepath.Dir(outside))
				err := apply(t.Context(), openRoot(t, dir), in, silent)
				if err == nil || !strings.Contains(err.Error(), part+" is a symbolic link") {
					t.Errorf("error %v", err)
				}
				if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(beforeOutside, tree(t, filepath.Dir(outside))); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// up is the way from the folder of part below dir to a path.
func up(dir, part, to string) string {
	way, err := filepath.Rel(filepath.Dir(filepath.Join(dir, part)), to)
	if err != nil {
		panic(err)
	}
	return way
}

// TestFolderBecomesLink swaps a folder for a link out of the root after it was looked at:
// os.Root is what holds then.
func TestFolderBecomesLink(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	write(t, dir, "lib/quota/memory.ts", "mine")
	root := openRoot(t, dir)
	p, err := newPlan(root, applyInput{ID: "quota-check-lib", Force: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "lib")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "lib")); err != nil {
		t.Fatal(err)
	}
	if err := p.apply(t.Context(), root, func(int, int, string) {}); err == nil || !strings.Contains(err.Error(), "escapes") {
		t.Errorf("error %v", err)
	}
	if got := tree(t, outside); len(got) != 0 {
		t.Errorf("outside of the root: %v", got)
	}
}

// TestKilledWriter finds what a process left that was killed half way: some files at
// their place, some staged.
func TestKilledWriter(t *testing.T) {
	dir := t.TempDir()
	in := applyInput{ID: "quota-check-lib"}
	root := openRoot(t, dir)
	p, err := newPlan(root, in)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range p.steps {
		switch {
		case i < 2:
			write(t, dir, s.path, string(s.data))
		case i < 4:
			write(t, dir, s.path+staging, "half")
		}
	}
	if err := apply(t.Context(), root, in, silent); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, s := range p.steps {
		want[s.path] = string(s.data)
	}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestLockIsWaitedForUntilCanceled(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lockRoot(t.Context(), openRoot(t, dir), func() { t.Error("it waits for nobody") })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waited, other := make(chan error), openRoot(t, dir)
	go func() {
		_, err := lockRoot(ctx, other, cancel)
		waited <- err
	}()
	if err := <-waited; !errors.Is(err, errCanceled) {
		t.Errorf("error %v", err)
	}
	unlock()
	// The lock may first pass through the hands of who does not wait for it any more.
	unlock, err = lockRoot(t.Context(), openRoot(t, dir), func() {})
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

package file_test

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
)

var writeFormat = flag.Bool("write-format", false, "write what the newest format's fixture holds")

// TestEveryFormatIsReadForEver opens the data folders in testdata/formats, one for each
// version of the format that there ever was, as a killed server has left them: a
// jobs.json, and a journal that is newer. What they hold must be read, byte for byte,
// as long as there is Jobwright.
//
// When the format changes: kill a server of the new version while its journal holds
// puts and deletes, copy jobs.json and the gzipped segments to testdata/formats/N, and
// run this test with -write-format. The folders of before stay as they are.
func TestEveryFormatIsReadForEver(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join("testdata", "formats", "*"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for i, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			dir := t.TempDir()
			unpack(t, folder, dir)
			if _, err := file.Fsck(dir, file.FsckOptions{}, nil); err != nil {
				t.Fatal(err)
			}
			s, err := file.Open(dir, file.Options{MinFree: -1})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			var got []byte
			for _, kind := range v1.Kinds() {
				page, err := s.List(t.Context(), store.ListOptions{Kind: kind.Name})
				if err != nil {
					t.Fatal(err)
				}
				for _, record := range page.Items {
					if _, err := record.Object(v1.Kinds()); err != nil {
						t.Error(err)
					}
					got = append(record.AppendJSON(got), '\n')
				}
			}
			golden := filepath.Join(folder, "objects")
			if *writeFormat && i == len(folders)-1 {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	snapshot, err := os.ReadFile(filepath.Join(from, "jobs.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, "jobs.json"), snapshot, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(to, "journal"), 0o700); err != nil {
		t.Fatal(err)
	}
	segments, err := filepath.Glob(filepath.Join(from, "*.journal.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, segment := range segments {
		packed, err := os.ReadFile(segment)
		if err != nil {
			t.Fatal(err)
		}
		reader, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, "journal", strings.TrimSuffix(filepath.Base(segment), ".gz")), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

package cli

import "jobwright.dev/store/filedb"

// maxFile bounds a file of settings or contexts: a thousand contexts have some 100 KB.
const maxFile = 1 << 20

// readFile reads a file that a person writes.
func readFile(path string) ([]byte, error) {
	return filedb.ReadText(path, maxFile)
}

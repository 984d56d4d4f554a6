package cli

import (
	"errors"
	"fmt"
	"slices"

	"jobwright.dev/api/strict"
)

// InFile returns one error for each problem of a file's text, with the file's name.
func InFile(path string, err error) []error {
	problems, ok := errors.AsType[strict.Problems](err)
	if !ok {
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return slices.DeleteFunc([]error{err}, func(err error) bool { return err == nil })
	}
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = fmt.Errorf("%s: %s", path, p)
	}
	return errs
}

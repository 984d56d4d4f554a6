package action

import "fmt"

// verdicts are the names of the verdicts on disk.
var verdicts = [...]string{Failed: "Failed", Succeeded: "Succeeded", Stopped: "Stopped", Lost: "Lost"}

// MarshalText implements encoding.TextMarshaler.
func (v Verdict) MarshalText() ([]byte, error) {
	if v < 0 || int(v) >= len(verdicts) {
		return nil, fmt.Errorf("unknown verdict %d", int(v))
	}
	return []byte(verdicts[v]), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *Verdict) UnmarshalText(text []byte) error {
	for known, word := range verdicts {
		if word == string(text) {
			*v = Verdict(known)
			return nil
		}
	}
	return fmt.Errorf("unknown verdict %q", text)
}

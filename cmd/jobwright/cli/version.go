package cli

import "runtime/debug"

// Version is the module's version as the Go tool recorded it; "v0.0.0-devel" for a build
// from a checkout.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "v0.0.0-devel"
	}
	return info.Main.Version
}

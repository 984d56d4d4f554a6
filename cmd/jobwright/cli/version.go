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

// Revision is the commit that the Go tool recorded, with "-dirty" behind it when files
// differed; empty when it recorded none.
func Revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	revision := settings["vcs.revision"]
	if revision != "" && settings["vcs.modified"] == "true" {
		revision += "-dirty"
	}
	return revision
}

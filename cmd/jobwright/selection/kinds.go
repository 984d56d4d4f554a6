package selection

import (
	"strings"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
)

// Kind finds a kind by its plural, singular, short name or kind.
func Kind(c *cli.Invocation, text string) (v1.Kind, error) {
	var known []string
	for _, kind := range c.Kinds {
		names := append([]string{kind.Resource, kind.Singular, strings.ToLower(kind.Name), kind.Resource + "." + v1.Group}, kind.ShortNames...)
		for _, name := range names {
			if strings.EqualFold(text, name) {
				return kind, nil
			}
		}
		known = append(known, kind.Resource)
	}
	return v1.Kind{}, cli.Usagef("unknown kind %q: supported kinds: %s", text, strings.Join(known, ", "))
}

// Keys parses "KIND NAME…", "KIND/NAME…" and, for jobs, "NAME…".
func Keys(c *cli.Invocation, args []string) ([]client.Key, error) {
	if len(args) == 0 {
		return nil, cli.Usagef("name an object, e.g. job/NAME")
	}
	jobs, _ := v1.KindByName(v1.KindJob)
	kind, names := jobs, args
	if len(args) > 1 && !strings.Contains(args[0], "/") {
		if given, err := Kind(c, args[0]); err == nil {
			kind, names = given, args[1:]
		}
	}
	var keys []client.Key
	for _, name := range names {
		this := kind
		if prefix, rest, ok := strings.Cut(name, "/"); ok {
			given, err := Kind(c, prefix)
			if err != nil {
				return nil, err
			}
			this, name = given, rest
		}
		if name == "" {
			return nil, cli.Usagef("the name is empty")
		}
		key := client.Key{Kind: this, Name: name}
		if this.Namespaced {
			key.Namespace = c.Workspace
		}
		keys = append(keys, key)
	}
	return keys, nil
}

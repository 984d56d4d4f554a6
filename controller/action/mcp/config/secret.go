package config

import (
	"net/url"
	"regexp"
	"strings"
)

// secretName is what variables and parameters are called that hold a secret.
var secretName = regexp.MustCompile(`(?i)token|secret|passw|passphrase|credential|api_?-?key|access_?-?key|private_?-?key|(^|_)(key|pass|pat|auth|dsn)$`)

// Secrets are the values that no log and no message is to repeat, though the server may
// say them: those of its headers, of what its url asks with, of oauth, and of variables
// whose name tells that they hold a secret.
func (s Server) Secrets() []string {
	var values []string
	for _, value := range s.Headers {
		values = append(values, value)
		if _, credentials, ok := strings.Cut(value, " "); ok {
			values = append(values, credentials)
		}
	}
	if u, err := url.Parse(s.URL); err == nil {
		for _, parameter := range u.Query() {
			values = append(values, parameter...)
		}
	}
	for name, value := range s.Env {
		if secretName.MatchString(name) {
			values = append(values, value)
		}
	}
	if o := s.OAuth; o != nil {
		values = append(values, o.ClientSecret, o.RefreshToken)
	}
	return values
}

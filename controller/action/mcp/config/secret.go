package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// secretName is what variables and parameters are called that hold a secret, secretHeader what
// such headers are called.
var (
	secretName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)token|secret|passw|passphrase|credential|api_?-?key|access_?-?key|private_?-?key|(^|_)(key|pass|pat|auth|dsn)$`)
	})
	secretHeader = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)auth|token|secret|passw|credential|cookie|key|pat$`)
	})
)

// Secrets are the values that no log and no message is to repeat, though the server may
// say them: those of its headers, of what its url asks with, and Credentials.
func (s Server) Secrets() []string {
	values := s.Credentials()
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
	return values
}

// Credentials are the values that no result of a tool is to repeat either: those of oauth, the
// passwords in URLs of env, and the values of headers, parameters of the url, variables of env
// and references to Jobwright's own environment whose names tell that they hold a secret. What
// else the file says (a language, an organization) is a word that results may well have.
func (s Server) Credentials() []string {
	values := slices.Clone(s.Referred)
	for name, value := range s.Headers {
		if secretHeader().MatchString(name) {
			values = append(values, value)
			if _, credentials, ok := strings.Cut(value, " "); ok {
				values = append(values, credentials)
			}
		}
	}
	if u, err := url.Parse(s.URL); err == nil {
		for name, parameter := range u.Query() {
			if secretName().MatchString(name) {
				values = append(values, parameter...)
			}
		}
	}
	for name, value := range s.Env {
		if secretName().MatchString(name) {
			values = append(values, value)
		}
		if u, err := url.Parse(value); err == nil && u.User != nil {
			if password, ok := u.User.Password(); ok {
				values = append(values, password)
			}
		}
	}
	if o := s.OAuth; o != nil {
		values = append(values, o.ClientSecret, o.RefreshToken)
	}
	return values
}

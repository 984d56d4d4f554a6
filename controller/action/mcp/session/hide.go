package session

import (
	"encoding/json"
	"sync"

	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/secrets"
)

// minResult is the least length, in bytes, of a credential that is hidden in the result of a
// tool. A shorter one is a word that results have by chance, and is guessed in so few attempts
// that a mask would hide nothing.
const minResult = 8

// hidden are the operator's secrets, as far as the server can know them.
type hidden struct {
	said   *secrets.Guarded // in the output and the failures of the server
	result *secrets.Guarded // in the answers of tools
}

// hiding hides the secrets from one job.
type hiding struct {
	said, result *secrets.Redactor
	words        string // the job's own

	mu     sync.Mutex
	tokens *secrets.Guarded // that token was made for
	token  *secrets.Redactor
}

// Tells names the words that the job under way sends to the server. These words are not
// hidden from the job, so that no mask tells which guess of a secret was right.
func (s *Session) Tells(words string) {
	s.hides.Store(&hiding{said: s.secrets.said.From(words), result: s.secrets.result.From(words), words: words})
}

// Redact is a text of the server's with *** in place of the operator's secrets.
func (s *Session) Redact(text string) string {
	h := s.hides.Load()
	return s.ofTokens(h).String(s.opts.Server.Redact(h.said.String(text)))
}

// Hide puts *** in place of the operator's credentials in the answer of a tool.
func (s *Session) Hide(reply *answer.Reply) {
	h := s.hides.Load()
	token := s.ofTokens(h)
	if h.result == nil && token == nil {
		return
	}
	reply.Hide(
		func(text string) string { return token.String(h.result.String(text)) },
		func(value json.RawMessage) json.RawMessage { return token.Raw(h.result.Raw(value)) },
	)
}

// ofTokens hides the OAuth tokens that there are now.
func (s *Session) ofTokens(h *hiding) *secrets.Redactor {
	tokens := s.tokens.Hidden()
	if tokens == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tokens != tokens {
		h.tokens, h.token = tokens, tokens.From(h.words)
	}
	return h.token
}

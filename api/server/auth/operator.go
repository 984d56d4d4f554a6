package auth

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// OperatorToken is the Authenticator of the operator: it recognizes requests that carry
// the token as their bearer token. The empty token recognizes none.
type OperatorToken string

// Authenticate implements Authenticator. Any other bearer token may be somebody else's, so
// it is not an error.
func (t OperatorToken) Authenticate(r *http.Request) (Identity, bool, error) {
	header := r.Header.Get("Authorization")
	if header == "" || t == "" {
		return Identity{}, false, nil
	}
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(t)) != 1 {
		return Identity{}, false, nil
	}
	return Identity{Name: "operator", Operator: true}, true, nil
}

// The refusals of WithoutRoles. They are made once, because each creation is asked about.
var (
	errBackup      = apierrors.NewUnauthorized("a backup shows every workspace: it needs the operator's token, which stands in the data folder")
	errStatus      = apierrors.NewForbidden(schema.GroupResource{Group: "jobwright.dev", Resource: "status"}, "", errors.New("status is what the controller has seen: writing it needs the operator's token, which stands in the data folder"))
	errImpersonate = apierrors.NewUnauthorized("a request in somebody else's name needs the operator's token, which stands in the data folder")
)

// WithoutRoles is the Authorizer of a server that has no users: everybody may do
// everything, except for what shows or changes more than the API does, which is the
// operator's alone.
type WithoutRoles struct{}

// Authorize implements Authorizer.
func (WithoutRoles) Authorize(who Identity, what Action) error {
	if who.Operator {
		return nil
	}
	if what.Verb == Backup {
		return errBackup
	}
	if what.Verb == Impersonate {
		return errImpersonate
	}
	if what.Subresource == "status" && (what.Verb == Update || what.Verb == Patch) {
		return errStatus
	}
	return nil
}

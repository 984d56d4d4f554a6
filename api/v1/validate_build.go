package v1

import (
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxIdentifier bounds names that belong to others: servers, tools, builders.
const maxIdentifier = 253

func validateBuild(b *BuildAction, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if b.Action == "" {
		errs = append(errs, field.Required(path.Child("action"), "name the tool to call"))
	}
	errs = append(errs, validateText(b.Server, maxIdentifier, path.Child("server"))...)
	errs = append(errs, validateText(b.Action, maxIdentifier, path.Child("action"))...)
	errs = append(errs, validateText(b.ID, maxIdentifier, path.Child("id"))...)
	errs = append(errs, validateText(b.Session, maxIdentifier, path.Child("session"))...)
	if _, named := b.Arguments["id"]; named && b.ID != "" {
		errs = append(errs, field.Forbidden(path.Child("arguments").Key("id"), "id is set above and passed as this argument; set one of them"))
	}
	if _, named := b.Arguments["variables"]; named && b.Variables != nil {
		errs = append(errs, field.Forbidden(path.Child("arguments").Key("variables"), "variables are set above and passed as this argument; set one of them"))
	}
	return errs
}

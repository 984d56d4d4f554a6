package v1

import (
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxNameLength keeps a Job's name usable as a label value and as a file name.
const maxNameLength = validation.DNS1123LabelMaxLength

// validateMeta checks the metadata of a Job (namespaced, its name a DNS
// subdomain) or of a Workspace (its name is a namespace, so a DNS label).
func validateMeta(m *metav1.ObjectMeta, namespaced bool) field.ErrorList {
	path := field.NewPath("metadata")
	nameFn := apivalidation.NameIsDNSLabel
	if namespaced {
		nameFn = apivalidation.NameIsDNSSubdomain
	}
	errs := apivalidation.ValidateObjectMeta(withoutLabels(m), namespaced, nameFn, path)
	errs = append(errs, validateLabels(m.Labels, path.Child("labels"))...)
	if namespaced && len(m.Name) > maxNameLength {
		errs = append(errs, field.TooLong(path.Child("name"), m.Name, maxNameLength))
	}
	return errs
}

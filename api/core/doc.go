// Package core has the wire form of those core/v1 kinds of the Kubernetes API that
// Jobwright serves: Event, which kubectl reads for `get events` and `describe`.
//
// They are written out here because k8s.io/api would bring some fifty packages of
// kinds that nobody here uses. Fields, names and order are those of core/v1; what
// Jobwright never sets is left out.
package core

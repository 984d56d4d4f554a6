package server

import (
	"net/http"
	"runtime"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/core"
	v1 "jobwright.dev/api/v1"
)

// resources are what discovery tells of the two groups that are served.
type resources struct{ core, group metav1.APIResourceList }

// resourcesOf makes discovery from the table of routes.
func resourcesOf(table []Route, kinds v1.KindSet) resources {
	return resources{
		core:  resourceList(table, corePath, core.Version, v1.KindSet{eventKind()}, nil),
		group: resourceList(table, groupPath, v1.APIVersion, kinds, []string{"all"}),
	}
}

// resourceList tells of kinds, with the verbs that the table has for them below a path.
func resourceList(table []Route, path, version string, kinds v1.KindSet, categories []string) metav1.APIResourceList {
	verbs := map[string]metav1.Verbs{} // by resource, or resource/subresource
	for _, route := range table {
		if !route.Verb.Standard() || !strings.HasPrefix(route.Pattern, path+"/") {
			continue
		}
		name := route.Kind.Resource
		if route.Subresource != "" {
			name += "/" + route.Subresource
		}
		if !slices.Contains(verbs[name], string(route.Verb)) {
			verbs[name] = append(verbs[name], string(route.Verb))
		}
	}
	list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: version}
	for name, verbs := range verbs {
		resource, subresource, _ := strings.Cut(name, "/")
		i := slices.IndexFunc(kinds, func(k v1.Kind) bool { return k.Resource == resource })
		if i < 0 {
			continue // no kind of objects, such as sessions
		}
		slices.Sort(verbs)
		r := metav1.APIResource{Name: name, Namespaced: kinds[i].Namespaced, Kind: kinds[i].Name, Verbs: verbs}
		if subresource == "" {
			r.SingularName, r.ShortNames, r.Categories = kinds[i].Singular, kinds[i].ShortNames, categories
		}
		list.APIResources = append(list.APIResources, r)
	}
	slices.SortFunc(list.APIResources, func(a, b metav1.APIResource) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// eventKind is the kind of core/v1 Events, which are made from what the event store has.
func eventKind() v1.Kind {
	return v1.Kind{Name: core.KindEvent, Resource: core.ResourceEvents, Singular: "event", ShortNames: []string{"ev"}, Namespaced: true}
}

// serves is the handler of an answer that is the same for every request.
func serves(answer func() any) handler {
	return func(w http.ResponseWriter, _ *request) error {
		writeJSON(w, http.StatusOK, answer())
		return nil
	}
}

func (s *Server) coreVersions() any {
	return metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{core.Version}}
}

func (s *Server) coreResources() any { return s.resource.core }

func (s *Server) groups() any {
	return metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}, Groups: []metav1.APIGroup{apiGroup()}}
}

func (s *Server) group() any { return apiGroup() }

func (s *Server) groupResources() any { return s.resource.group }

func apiGroup() metav1.APIGroup {
	version := metav1.GroupVersionForDiscovery{GroupVersion: v1.APIVersion, Version: v1.Version}
	return metav1.APIGroup{Name: v1.Group, Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version}
}

func (s *Server) version() any {
	return map[string]string{"gitVersion": s.opts.Version, "goVersion": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}
}

package server

import (
	"net/http"
	"runtime"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/core"
	v1 "jobwright.dev/api/v1"
)

// discoveryRoutes tell what there is, as the Kubernetes API does.
func (s *Server) discoveryRoutes(handle func(string, http.HandlerFunc)) {
	version := metav1.GroupVersionForDiscovery{GroupVersion: v1.APIVersion, Version: v1.Version}
	group := metav1.APIGroup{Name: v1.Group, Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version}
	answer := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, v) }
	}
	handle("GET /api", answer(metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{core.Version}}))
	handle("GET "+corePath, answer(coreResources()))
	handle("GET /apis", answer(metav1.APIGroupList{
		TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}, Groups: []metav1.APIGroup{group},
	}))
	handle("GET /apis/"+v1.Group, answer(group))
	handle("GET "+groupPath, answer(s.resources()))
	handle("GET /version", answer(map[string]string{
		"gitVersion": s.Version, "goVersion": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
	}))
}

func (s *Server) resources() metav1.APIResourceList {
	list := metav1.APIResourceList{
		TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: v1.APIVersion,
	}
	verbs := metav1.Verbs{"create", "delete", "get", "list", "patch", "update", "watch"}
	for _, kind := range s.Kinds {
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name: kind.Resource, SingularName: kind.Singular, Namespaced: kind.Namespaced, Kind: kind.Name,
			Verbs: verbs, ShortNames: kind.ShortNames, Categories: []string{"all"},
		}, metav1.APIResource{
			Name: kind.Resource + "/status", Namespaced: kind.Namespaced, Kind: kind.Name, Verbs: metav1.Verbs{"get", "patch", "update"},
		})
	}
	slices.SortFunc(list.APIResources, func(a, b metav1.APIResource) int { return slices.Compare([]byte(a.Name), []byte(b.Name)) })
	return list
}

// coreResources are what is served of the Kubernetes API's core group.
func coreResources() metav1.APIResourceList {
	return metav1.APIResourceList{
		TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: core.Version,
		APIResources: []metav1.APIResource{{
			Name: core.ResourceEvents, SingularName: "event", Namespaced: true, Kind: core.KindEvent,
			Verbs: metav1.Verbs{"list", "watch"}, ShortNames: []string{"ev"},
		}},
	}
}

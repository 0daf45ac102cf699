package render

import "maps"

// object is an object of a kind for which Kubernetes has no apply configuration, or
// none that its own types fit into.
type object struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Metadata   objectMeta `json:"metadata"`
	Spec       any        `json:"spec"`
}

type objectMeta struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// meta is that of an object which is named as the Model. Labels besides those of every
// object are what others select it by.
func (r *renderer) meta(labels map[string]string) objectMeta {
	all := maps.Clone(labels)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, r.labels())
	return objectMeta{Name: r.name(""), Namespace: r.Model.Namespace, Labels: all}
}

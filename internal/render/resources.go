package render

import (
	"errors"

	"k8s.io/apimachinery/pkg/runtime"

	"mizzen.dev/api/v1alpha1"
)

// ServerResources are what the server's container asks for: what the Model says, or
// what rendering gives a Model that says nothing.
func (r *Result) ServerResources() (*v1alpha1.Resources, error) {
	for _, o := range r.Objects {
		if o.GetKind() != "Deployment" {
			continue
		}
		var deployment struct {
			Spec struct {
				Template struct {
					Spec struct {
						Containers []struct {
							Resources v1alpha1.Resources `json:"resources"`
						} `json:"containers"`
					} `json:"spec"`
				} `json:"template"`
			} `json:"spec"`
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &deployment); err != nil {
			return nil, err
		}
		if containers := deployment.Spec.Template.Spec.Containers; len(containers) > 0 {
			return &containers[0].Resources, nil
		}
	}
	return nil, errors.New("the Model has no Deployment with a server")
}

package render

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"mizzen.dev/api/v1alpha1"
)

// resources of the server, without accelerators: the Model's, or what a small model
// needs. Servers with Python, a JVM or CUDA in them need more than that to start.
func (r *renderer) resources() v1alpha1.Resources {
	if s := r.spec.Resources; s != nil {
		return *s
	}
	cpu, memory, most := "100m", "128Mi", "512Mi"
	switch r.runtimeName() {
	case v1alpha1.RuntimeTriton, v1alpha1.RuntimeTorchServe, v1alpha1.RuntimeTFServing:
		cpu, memory, most = "1", "2Gi", "4Gi"
	}
	return v1alpha1.Resources{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(most)},
	}
}

// resourceRequirements are the resources, and the accelerators, for which limits are
// requests.
func (r *renderer) resourceRequirements() *corev1ac.ResourceRequirementsApplyConfiguration {
	res := r.resources()
	limits := res.Limits.DeepCopy()
	if g := r.spec.GPU; g != nil {
		if limits == nil {
			limits = corev1.ResourceList{}
		}
		limits[corev1.ResourceName(g.ResourceName)] = *resource.NewQuantity(int64(g.Count), resource.DecimalSI)
	}
	a := corev1ac.ResourceRequirements()
	if len(res.Requests) > 0 {
		a.WithRequests(res.Requests)
	}
	if len(limits) > 0 {
		a.WithLimits(limits)
	}
	return a
}

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

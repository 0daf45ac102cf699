package status

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
)

// TestExitCodes holds for containers that left no message: Mizzen's exit codes tell why,
// unless the program is another one, or a Go program that panicked.
func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		container string
		runtime   v1alpha1.RuntimeName
		code      int32
		want      string
	}{
		{"server", v1alpha1.RuntimeMizzen, 21, "ModelMalformed"},
		{"server", v1alpha1.RuntimeMizzen, 2, "Error"},
		{"server", v1alpha1.RuntimeTriton, 21, "Error"},
		{render.FetchContainer, v1alpha1.RuntimeTriton, 11, "SourceNotFound"},
	} {
		o := &Objects{Model: &v1alpha1.Model{Spec: v1alpha1.ModelSpec{Runtime: &v1alpha1.Runtime{Name: tt.runtime}}}}
		o.Pods = []corev1.Pod{{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name:  tt.container,
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: tt.code, Reason: "Error"}},
		}}}}}
		if says := pods(o)[0].Says; len(says) != 1 || says[0].Reason != tt.want {
			t.Errorf("%s of %s that ended with %d says %+v, want the reason %s", tt.container, tt.runtime, tt.code, says, tt.want)
		}
	}
}

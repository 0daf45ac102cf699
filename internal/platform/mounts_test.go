package platform

import "testing"

// TestMountsImages holds for what kubelets report of their container runtimes.
func TestMountsImages(t *testing.T) {
	for runtime, want := range map[string]bool{
		"containerd://2.1.0":     true,
		"containerd://2.3.1-rc1": true,
		"containerd://2.0.5":     false,
		"containerd://1.7.27":    false,
		"cri-o://1.31.0":         true,
		"cri-o://1.30.9":         false,
		"docker://27.0.0":        false,
		"containerd://":          false,
		"containerd://a.b":       false,
		"":                       false,
	} {
		if got := mountsImages(runtime); got != want {
			t.Errorf("%s: got %t, want %t", runtime, got, want)
		}
	}
}

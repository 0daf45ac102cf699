package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/golden"
	"mizzen.dev/internal/status"
)

// noon is when the screens of testdata/status are looked at.
var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// TestScreens draws testdata/status/*.yaml, on a terminal of 100 columns without
// colours; go test -update writes what is wanted.
func TestScreens(t *testing.T) {
	for _, name := range []string{"well", "ill", "files", "new"} {
		t.Run(name, func(t *testing.T) {
			st := status.Of(readObjects(t, filepath.Join("testdata", "status", name+".yaml")))
			var got bytes.Buffer
			if err := (screen{width: 100, now: noon}).print(&got, st); err != nil {
				t.Fatal(err)
			}
			got.WriteString("\n" + strings.Repeat("=", 20) + " get\n")
			printModels(&got, []status.Summary{st.Summary()}, true, noon)
			golden.Compare(t, filepath.Join("testdata", "status", name+".txt"), got.String())
		})
	}
}

// TestScreenWithoutTerminal breaks no lines: programs look for them.
func TestScreenWithoutTerminal(t *testing.T) {
	st := status.Of(readObjects(t, filepath.Join("testdata", "status", "ill.yaml")))
	var got bytes.Buffer
	if err := screenFor(&got, noon).print(&got, st); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"✗ SourceReady    DigestMismatch for 9m30s: The file at s3://models/iris/0.2.0/model.pkl is not the one that was asked for: set spec.source.digest to the digest of the file that you mean, or put that file there.\n",
		`\u001b[31mnot a colour`, // what others wrote cannot colour the screen
	} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("the screen lacks %q:\n%s", want, got.String())
		}
	}
	if strings.Contains(got.String(), "\x1b") {
		t.Errorf("the screen has colours, but is not on a terminal:\n%q", got.String())
	}
}

// readObjects reads what a cluster would have of a Model.
func readObjects(t *testing.T, path string) *status.Objects {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o := &status.Objects{Namespace: "ml-prod", Name: "iris", Resolves: map[string]bool{}}
	decoder := yaml.NewYAMLOrJSONDecoder(f, 4096)
	for {
		u := unstructured.Unstructured{}
		if err := decoder.Decode(&u.Object); errors.Is(err, io.EOF) {
			return o
		} else if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		u = asFromServer(t, u)
		switch u.GetKind() {
		case "Model":
			o.Model = &v1alpha1.Model{}
			into(t, u, o.Model)
		case "Deployment":
			o.Deployments = append(o.Deployments, typed[appsv1.Deployment](t, u))
		case "ReplicaSet":
			o.ReplicaSets = append(o.ReplicaSets, typed[appsv1.ReplicaSet](t, u))
		case "Pod":
			o.Pods = append(o.Pods, typed[corev1.Pod](t, u))
		case "Service":
			o.Services = append(o.Services, typed[corev1.Service](t, u))
		case "HorizontalPodAutoscaler":
			o.HPAs = append(o.HPAs, typed[autoscalingv2.HorizontalPodAutoscaler](t, u))
		case "Ingress":
			o.Ingresses = append(o.Ingresses, typed[networkingv1.Ingress](t, u))
		case "Event":
			o.Events = append(o.Events, typed[corev1.Event](t, u))
		case "ScaledObject":
			o.ScaledObjects = append(o.ScaledObjects, u)
		case "HTTPRoute":
			o.HTTPRoutes = append(o.HTTPRoutes, u)
		case "Gateway":
			o.Gateways = append(o.Gateways, u)
		default:
			t.Fatalf("%s: what is a %s?", path, u.GetKind())
		}
	}
}

// asFromServer has whole numbers as the API's client reads them.
func asFromServer(t *testing.T, u unstructured.Unstructured) unstructured.Unstructured {
	t.Helper()
	raw, err := json.Marshal(u.Object)
	if err != nil {
		t.Fatal(err)
	}
	again := unstructured.Unstructured{}
	if err := again.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return again
}

func typed[T any](t *testing.T, u unstructured.Unstructured) T {
	t.Helper()
	var object T
	into(t, u, &object)
	return object
}

func into(t *testing.T, u unstructured.Unstructured, object any) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(u.Object, object, true); err != nil {
		t.Fatalf("%s %s: %v", u.GetKind(), u.GetName(), err)
	}
}

//go:build e2e

package core

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/test/e2e/bed"
)

// flaskEra is a Deployment as teams wrote it for Flask under gunicorn, with the image
// alone replaced: a ConfigMap and a Secret in the environment, a volume at /models,
// probes, a user.
const flaskEra = `
apiVersion: v1
kind: ConfigMap
metadata: {name: api-config}
data: {PORT: "8080", MODEL_PATH: /models/model.pkl, MODEL_URL: "s3://models/iris/0.1.0/model.pkl"}
---
apiVersion: v1
kind: Secret
metadata: {name: api-secret}
stringData: {API_KEY: s3cret}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 1
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: api
        image: IMAGE
        ports: [{containerPort: 8080}]
        envFrom: [{configMapRef: {name: api-config}}, {secretRef: {name: api-secret}}, {secretRef: {name: store}}]
        volumeMounts: [{name: models, mountPath: /models}]
        livenessProbe: {httpGet: {path: /healthz, port: 8080}}
        readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumes: [{name: models, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
`

func TestFlaskEraDeployment(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "flask")
	yaml := strings.ReplaceAll(flaskEra, "IMAGE", b.Image)
	yaml = strings.ReplaceAll(yaml, "metadata: {name: a", "metadata: {namespace: "+ns+", name: a")
	b.MustApply(t, yaml)
	bed.Eventually(t, bed.Patience, func(ctx context.Context) (bool, string) {
		var d appsv1.Deployment
		if err := b.Objects.Get(ctx, client.ObjectKey{Namespace: ns, Name: "api"}, &d); err != nil {
			return false, err.Error()
		}
		return d.Status.ReadyReplicas == 1, fmt.Sprintf("%d pods ready", d.Status.ReadyReplicas)
	})
	url := b.ServiceURL(t, ns, "api")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/predict", strings.NewReader(bed.IrisRow))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"": http.StatusUnauthorized, "s3cret": http.StatusOK} {
		call := req.Clone(t.Context())
		call.Body, _ = req.GetBody()
		if key != "" {
			call.Header.Set("X-API-Key", key)
		}
		res, err := http.DefaultClient.Do(call)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("with key %q: %s", key, res.Status)
		}
	}
}

package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Where the operator has its facts, as config/ and the chart install it.
const (
	platformConfigMap = "mizzen-platform"
	platformKey       = "platform.yaml"
)

// HiddenError says that the operator's facts may not be read.
type HiddenError struct {
	Namespace string
	Err       error
}

func (e *HiddenError) Error() string {
	return fmt.Sprintf("the facts that the operator goes by, ConfigMap %s in %s, may not be read (%v): what it would make of a Model may differ; name them with --platform",
		platformConfigMap, e.Namespace, e.Err)
}

// Unwrap returns what the API server said.
func (e *HiddenError) Unwrap() error { return e.Err }

// OperatorPlatform returns the platform file of the operator in a namespace; "" if there
// is none.
func (c *Cluster) OperatorPlatform(ctx context.Context, namespace string) (string, error) {
	var facts corev1.ConfigMap
	err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: platformConfigMap}, &facts)
	switch {
	case apierrors.IsNotFound(err):
		return "", nil
	case apierrors.IsForbidden(err):
		return "", &HiddenError{Namespace: namespace, Err: err}
	case err != nil:
		return "", c.Explain(err)
	}
	return facts.Data[platformKey], nil
}

package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/clientcmd"

	"mizzen.dev/api/v1alpha1"
)

// ConfigError says that no cluster is chosen.
type ConfigError struct {
	Files   []string
	Context string
	Err     error
}

func (e *ConfigError) Error() string {
	if clientcmd.IsEmptyConfig(e.Err) {
		return fmt.Sprintf("no cluster is chosen: there is no kubeconfig at %s; set KUBECONFIG, or name a file with --kubeconfig",
			strings.Join(e.Files, ", "))
	}
	return fmt.Sprintf("reading the kubeconfig: %v", e.Err)
}

// Unwrap returns what is wrong.
func (e *ConfigError) Unwrap() error { return e.Err }

// UnreachableError says that the API server does not answer.
type UnreachableError struct {
	Server, Context string
	Err             error
}

func (e *UnreachableError) Error() string {
	of := ""
	if e.Context != "" {
		of = fmt.Sprintf(" of context %q", e.Context)
	}
	return fmt.Sprintf("cannot reach the cluster at %s%s: %v; is it running, and is it the right one (--context)?", e.Server, of, e.Err)
}

// Unwrap returns what is wrong.
func (e *UnreachableError) Unwrap() error { return e.Err }

// CredentialsError says that the API server does not know who asks.
type CredentialsError struct {
	Server, Context string
	Err             error
}

func (e *CredentialsError) Error() string {
	return fmt.Sprintf("the cluster at %s does not accept the credentials of context %q (%v): log in again, or choose another context", e.Server, e.Context, e.Err)
}

// Unwrap returns what the server said.
func (e *CredentialsError) Unwrap() error { return e.Err }

// NotFoundError says that the cluster has nothing of a Model.
type NotFoundError struct {
	Namespace, Name string
	// NoCRD says that the cluster does not know Models at all.
	NoCRD bool
}

func (e *NotFoundError) Error() string {
	text := fmt.Sprintf("there is no Model %s in namespace %s, and no object with the label mizzen.dev/model=%[1]s", e.Name, e.Namespace)
	if e.NoCRD {
		return text + "; the cluster does not know the kind Model: install the operator (kubectl apply -f config/), or apply what mizzenctl render prints"
	}
	return text + "; mizzenctl get -A lists all"
}

// KindError says that the cluster does not know a kind.
type KindError struct {
	Kind string
	Err  error
}

func (e *KindError) Error() string {
	if e.Kind == v1alpha1.Kind+"."+v1alpha1.Group {
		return "the cluster does not know the kind Model: install the operator (kubectl apply -f config/) first"
	}
	return fmt.Sprintf("the cluster does not know the kind %s: install what defines it, or take it out of the platform's offers", e.Kind)
}

// Unwrap returns what the server said.
func (e *KindError) Unwrap() error { return e.Err }

// explain makes of an error of the API's client one that says what to do. What the
// server itself said stays as it is.
func (c *Cluster) explain(err error) error {
	var (
		noKind  *meta.NoKindMatchError
		network *net.OpError
		address *url.Error
	)
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case apierrors.IsUnauthorized(err):
		return &CredentialsError{Server: c.Config.Host, Context: c.context, Err: err}
	case errors.As(err, &noKind):
		return &KindError{Kind: noKind.GroupKind.String(), Err: err}
	case errors.As(err, &network):
		return &UnreachableError{Server: c.Config.Host, Context: c.context, Err: network}
	case errors.As(err, &address):
		return &UnreachableError{Server: c.Config.Host, Context: c.context, Err: address.Err}
	case errors.Is(err, context.DeadlineExceeded):
		return &UnreachableError{Server: c.Config.Host, Context: c.context, Err: errors.New("it did not answer in time")}
	}
	return err
}

// absent says that the cluster does not know a kind: what is of that kind cannot be
// there.
func absent(err error) bool {
	return meta.IsNoMatchError(err)
}

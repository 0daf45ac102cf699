package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
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
	// Unseen are the kinds that could not be looked at.
	Unseen []Unseen
}

func (e *NotFoundError) Error() string {
	text := fmt.Sprintf("there is no Model %s in namespace %s, and no object with the label mizzen.dev/model=%[1]s", e.Name, e.Namespace)
	switch {
	case e.NoCRD:
		return text + "; " + noModels + ", or apply Models from files with mizzenctl apply"
	case len(e.Unseen) > 0:
		return fmt.Sprintf("%s; not looked at were %s", text, strings.Join(Sentences(e.Unseen), "; "))
	}
	return text + "; mizzenctl get -A lists all"
}

// noModels says what to do about a cluster that does not know Models.
const noModels = "the cluster does not know the kind Model: install the operator (kubectl apply --server-side -f config/install.yaml, or the chart; docs/install.md)"

// NoModelsError says that the cluster does not know Models.
type NoModelsError struct{}

func (*NoModelsError) Error() string { return noModels }

// KindError says that the cluster does not know a kind.
type KindError struct {
	Kind string
	Err  error
}

func (e *KindError) Error() string {
	if e.Kind == v1alpha1.Kind+"."+v1alpha1.Group {
		return noModels
	}
	return fmt.Sprintf("the cluster does not know the kind %s: install what defines it, or take it out of the platform's offers", e.Kind)
}

// Unwrap returns what the server said.
func (e *KindError) Unwrap() error { return e.Err }

// ForbiddenError says what somebody may not do.
type ForbiddenError struct {
	User, Verb string
	// Resource is such as deployments.apps.
	Resource string
	// Namespace is "" for all of them.
	Namespace string
	Err       error
}

var forbidden = regexp.MustCompile(`User "([^"]*)" cannot ([a-z]+) resource "([^"]*)" in API group "([^"]*)"(?: in the namespace "([^"]*)")?`)

// forbiddenError reads what the API server says; nil if it is something else that
// forbids, such as a quota or a policy, which has words of its own.
func forbiddenError(err error) *ForbiddenError {
	said := forbidden.FindStringSubmatch(err.Error())
	if said == nil {
		return nil
	}
	return &ForbiddenError{User: said[1], Verb: said[2], Resource: strings.TrimSuffix(said[3]+"."+said[4], "."), Namespace: said[5], Err: err}
}

func (e *ForbiddenError) Error() string {
	where := "in namespace " + e.Namespace
	if e.Namespace == "" {
		where = "in the cluster as a whole"
	}
	return fmt.Sprintf("%s may not %s %s %s: %s", e.User, e.Verb, e.Resource, where, e.grant())
}

// grant says what to ask an administrator for.
func (e *ForbiddenError) grant() string {
	role := ""
	switch {
	case slices.Contains([]string{"get", "list", "watch"}, e.Verb) && e.Resource != "secrets":
		role = "View"
	case strings.HasSuffix(e.Resource, "."+v1alpha1.Group):
		role = "Edit"
	}
	ask := fmt.Sprintf("ask an administrator for a role with the verb %s on %s", e.Verb, e.Resource)
	switch {
	case e.Namespace == "":
		return ask + ", or keep to a namespace with --namespace"
	case role == "":
		return ask
	}
	return fmt.Sprintf("%s, such as %s by access: [{namespace: %s, role: %s, users: [%q]}] in the platform file", ask, role, e.Namespace, role, e.User)
}

// Unwrap returns what the server said.
func (e *ForbiddenError) Unwrap() error { return e.Err }

// Explain makes of an error of the API's client one that says what to do. What the
// server itself said stays as it is.
func (c *Cluster) Explain(err error) error {
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
	case apierrors.IsForbidden(err):
		if f := forbiddenError(err); f != nil {
			return f
		}
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

package health

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
)

// exposeChecks ask whether callers from outside get to the Service.
func exposeChecks() []check {
	return []check{certificateNotReady, gatewayNotProgrammed, routeNotAccepted, noWayIn, addressPending, exposed}
}

func certificateNotReady(o *Observation) *finding {
	for _, c := range o.Certificates {
		switch ready := foreignCondition(c, "Ready"); {
		case ready == nil:
			return unknown(ReasonCertificatePending, fmt.Sprintf("cert-manager has not looked at the Certificate %s yet: check that it runs", c.GetName()))
		case ready.status != corev1.ConditionTrue:
			return notIssued(o, c, ready)
		}
	}
	return nil
}

// notIssued tells a certificate that cert-manager is at work on from one that it could
// not get, or has been at for long.
func notIssued(o *Observation, c *unstructured.Unstructured, ready *statement) *finding {
	begun, said := c.GetCreationTimestamp().Time, ready
	issuing := foreignCondition(c, "Issuing")
	if issuing != nil && issuing.status == corev1.ConditionTrue && issuing.since.After(begun) {
		begun = issuing.since
	}
	if issuing != nil && issuing.message != "" && issuing.status == corev1.ConditionFalse {
		said = issuing
	}
	refused := no(ReasonCertificateNotReady, fmt.Sprintf("the Certificate %s is not issued: %s: %s (kubectl describe certificate %s)", c.GetName(), said.reason, said.message, c.GetName()))
	if issuing != nil && issuing.status == corev1.ConditionFalse {
		return refused
	}
	return o.until(begun.Add(issuePatience),
		unknown(ReasonCertificatePending, fmt.Sprintf("cert-manager is at work on the Certificate %s (kubectl describe certificate %s)", c.GetName(), c.GetName())), refused)
}

func gatewayNotProgrammed(o *Observation) *finding {
	for _, g := range o.Gateways {
		accepted, programmed := foreignCondition(g, "Accepted"), foreignCondition(g, "Programmed")
		switch {
		case accepted != nil && accepted.status == corev1.ConditionFalse:
			return no(ReasonGatewayNotProgrammed, fmt.Sprintf("the Gateway %s is not accepted: %s: %s", g.GetName(), accepted.reason, accepted.message))
		case programmed == nil || programmed.status == corev1.ConditionUnknown:
			return unknown(ReasonGatewayPending, fmt.Sprintf("nobody has carried out the Gateway %s yet: check that the controller of its class runs", g.GetName()))
		case programmed.status == corev1.ConditionFalse:
			broken := no(ReasonGatewayNotProgrammed, fmt.Sprintf("the Gateway %s does not work: %s: %s", g.GetName(), programmed.reason, programmed.message))
			if programmed.reason != "Pending" && programmed.reason != "AddressNotAssigned" {
				return broken
			}
			return o.until(programmed.since.Add(gatewayPatience), unknown(ReasonGatewayPending, fmt.Sprintf("the Gateway %s is being set up: %s", g.GetName(), programmed.message)), broken)
		}
	}
	return nil
}

// routeNotAccepted asks each parent of each route.
func routeNotAccepted(o *Observation) *finding {
	for _, r := range o.Routes {
		name := r.GetKind() + " " + r.GetName()
		parents, _, _ := unstructured.NestedSlice(r.Object, "status", "parents")
		if len(parents) == 0 {
			return unknown(ReasonRoutePending, fmt.Sprintf("no Gateway has looked at the %s yet: check that the Gateway exists and that its controller runs", name))
		}
		for _, p := range parents {
			fields, _ := p.(map[string]any)
			conditions, _, _ := unstructured.NestedSlice(fields, "conditions")
			for _, conditionType := range []string{"Accepted", "ResolvedRefs"} {
				c := findStatement(conditions, conditionType)
				if c != nil && c.status == corev1.ConditionFalse {
					return no(ReasonRouteNotAccepted, fmt.Sprintf("the Gateway does not carry out the %s: %s: %s. Check that a listener of the Gateway has the host and lets in routes of this namespace", name, c.reason, c.message))
				}
			}
			if c := findStatement(conditions, "Accepted"); c == nil || c.status != corev1.ConditionTrue {
				return unknown(ReasonRoutePending, fmt.Sprintf("the Gateway has not accepted the %s yet", name))
			}
		}
	}
	return nil
}

func noWayIn(o *Observation) *finding {
	if o.Model.Spec.Expose != nil && o.Ingress == nil && len(o.Routes) == 0 {
		return unknown(ReasonPending, "the way in is not there yet")
	}
	return nil
}

func addressPending(o *Observation) *finding {
	if o.Ingress != nil && len(o.Ingress.Status.LoadBalancer.Ingress) == 0 {
		class := ""
		if o.Ingress.Spec.IngressClassName != nil {
			class = *o.Ingress.Spec.IngressClassName
		}
		return unknown(ReasonAddressPending, fmt.Sprintf("the Ingress has no address: check that the controller of class %q runs, and is told to publish its address", class))
	}
	return nil
}

func exposed(o *Observation) *finding {
	if o.Model.Spec.Expose == nil {
		return nil
	}
	if wayInShut(o) {
		return yes(ReasonExposed, "the way in is set up, but isolation does not let its calls through: see Isolated")
	}
	return yes(ReasonExposed, "the way in is open")
}

// isolationChecks ask whether the pods are isolated as the spec says.
func isolationChecks() []check {
	return []check{func(o *Observation) *finding {
		if i := o.Model.Spec.Isolation; i != nil && i.Mode == v1alpha1.IsolationDisabled {
			return warned(o, v1alpha1.ConditionIsolated)
		}
		if !o.Isolated {
			return unknown(ReasonPending, "the NetworkPolicies are not there yet")
		}
		return yes(ReasonRestricted, "NetworkPolicies let in and out what the spec names; a network plugin that enforces them is the cluster's part")
	}}
}

// telemetryChecks ask whether those who watch know of the Model.
func telemetryChecks() []check {
	return []check{func(o *Observation) *finding {
		if !o.Monitored {
			return nil
		}
		return yes(ReasonObserved, "scraping, dashboard and alerts are set up as far as the spec and the platform ask for them")
	}}
}

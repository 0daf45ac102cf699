package main

import (
	"encoding/json"
	"fmt"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// narrowed is what the API server takes in a field of Kubernetes's own types, whose
// schemas leave it open: it would refuse the HorizontalPodAutoscaler, the Deployment or
// the NetworkPolicy that a Model asks for, long after it accepted the Model.
type narrowed struct {
	path     string // [] stands for the items of a list
	enum     []string
	from, to float64 // a range, where there is no enum, or of a list's length; to is 0 for no end
	unsigned bool    // a quantity, and not below 0
}

func narrowings() []narrowed {
	var all []narrowed
	for _, direction := range []string{"scaleUp", "scaleDown"} {
		behavior := "spec.scale.behavior." + direction
		all = append(all,
			narrowed{path: behavior + ".tolerance", unsigned: true},
			narrowed{path: behavior + ".policies", from: 1},
			narrowed{path: behavior + ".policies[].type", enum: []string{"Pods", "Percent"}},
			narrowed{path: behavior + ".policies[].value", from: 1},
			narrowed{path: behavior + ".policies[].periodSeconds", from: 1, to: 1800},
			narrowed{path: behavior + ".stabilizationWindowSeconds", from: 0, to: 3600},
			narrowed{path: behavior + ".selectPolicy", enum: []string{"Max", "Min", "Disabled"}})
	}
	for _, tolerations := range []string{"spec.placement.tolerations", "spec.gpu.tolerations"} {
		all = append(all,
			// Lt and Gt need a feature gate that clusters have off.
			narrowed{path: tolerations + "[].operator", enum: []string{"Exists", "Equal"}},
			narrowed{path: tolerations + "[].effect", enum: []string{"NoSchedule", "PreferNoSchedule", "NoExecute"}})
	}
	ports := "spec.isolation.egress[].ports[]"
	return append(all,
		narrowed{path: ports + ".protocol", enum: []string{"TCP", "UDP", "SCTP"}},
		narrowed{path: ports + ".port", from: 1, to: 65535},
		narrowed{path: ports + ".endPort", from: 1, to: 65535})
}

// narrow sets all of them. That a field is not there is an error: it may have got
// another name.
func narrow(root *apiextensions.JSONSchemaProps) error {
	for _, n := range narrowings() {
		if err := n.set(root, strings.Split(n.path, ".")); err != nil {
			return fmt.Errorf("narrowing %s: %w", n.path, err)
		}
	}
	return nil
}

func (n *narrowed) set(s *apiextensions.JSONSchemaProps, path []string) error {
	if len(path) == 0 {
		return n.on(s)
	}
	name, isList := strings.CutSuffix(path[0], "[]")
	p, ok := s.Properties[name]
	if !ok {
		return fmt.Errorf("there is no %s", name)
	}
	below := &p
	if isList {
		if below.Items == nil || below.Items.Schema == nil {
			return fmt.Errorf("%s is no list", name)
		}
		below = below.Items.Schema
	}
	if err := n.set(below, path[1:]); err != nil {
		return err
	}
	s.Properties[name] = p
	return nil
}

func (n *narrowed) on(s *apiextensions.JSONSchemaProps) error {
	for _, value := range n.enum {
		raw, err := json.Marshal(value)
		if err != nil {
			return err
		}
		s.Enum = append(s.Enum, apiextensions.JSON{Raw: raw})
	}
	switch {
	case len(n.enum) > 0:
		s.MaxLength = nil
		return nil
	case n.unsigned:
		s.Pattern = unsignedPattern
	case s.Type == "array":
		s.MinItems = pointer(int64(n.from))
		return nil
	}
	s.Minimum = &n.from
	if n.to != 0 {
		s.Maximum = &n.to
	}
	return nil
}

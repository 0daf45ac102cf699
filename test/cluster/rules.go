//go:build linux

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/common/model"
	"sigs.k8s.io/yaml"
)

// Prometheus finds the rules in the ConfigMap of its configuration.
const (
	rulesKey  = "rules.yml"
	rulesPath = "/etc/prometheus/" + rulesKey
	// longestRuleInterval is the longest that a test waits for a rule: groups that are
	// evaluated less often elsewhere are here as often.
	longestRuleInterval = 5 * time.Second
)

// ruleFile writes the PrometheusRules of a list as the file that Prometheus's operator
// makes of them.
func ruleFile(list []byte) (string, error) {
	var raw struct {
		Items []struct {
			Metadata struct{ Name, Namespace string }
			Spec     struct{ Groups []map[string]any }
		}
	}
	if err := json.Unmarshal(list, &raw); err != nil {
		return "", err
	}
	groups := []map[string]any{}
	for _, item := range raw.Items {
		for _, g := range item.Spec.Groups {
			// A group's name is its PrometheusRule's own; a file has each name once.
			g["name"] = fmt.Sprintf("%s/%s/%v", item.Metadata.Namespace, item.Metadata.Name, g["name"])
			if text, ok := g["interval"].(string); ok {
				interval, err := model.ParseDuration(text)
				if err != nil {
					return "", fmt.Errorf("the PrometheusRule %s/%s: %w", item.Metadata.Namespace, item.Metadata.Name, err)
				}
				g["interval"] = model.Duration(min(time.Duration(interval), longestRuleInterval)).String()
			}
			groups = append(groups, g)
		}
	}
	out, err := yaml.Marshal(map[string]any{"groups": groups})
	return string(out), err
}

// Rule is one that Prometheus evaluates.
type Rule struct {
	// Name of the series that it records, or of the alert.
	Name string `json:"name"`
	// Type is recording or alerting.
	Type   string            `json:"type"`
	Query  string            `json:"query"`
	Labels map[string]string `json:"labels"`
	// Health is ok once it has been evaluated, unknown before, and err, of which
	// LastError tells.
	Health    string `json:"health"`
	LastError string `json:"lastError"`
	// State of an alert: inactive, pending or firing.
	State string `json:"state"`
}

// Rules returns all rules that Prometheus has.
func (p *Prometheus) Rules(ctx context.Context) ([]Rule, error) {
	body, err := p.call(ctx, http.MethodGet, "/api/v1/rules", nil)
	if err != nil {
		return nil, fmt.Errorf("asking Prometheus for its rules: %w", err)
	}
	var answer struct {
		Data struct {
			Groups []struct{ Rules []Rule }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("reading Prometheus's rules: %w in %q", err, body)
	}
	var rules []Rule
	for _, g := range answer.Data.Groups {
		rules = append(rules, g.Rules...)
	}
	return rules, nil
}

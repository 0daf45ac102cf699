package operator

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count what the operator does to the cluster, beside what controller-runtime
// counts itself.
type Metrics struct {
	writes *prometheus.CounterVec
	drift  *prometheus.CounterVec
}

// NewMetrics returns counters, and tells the registry of them. The counters of another
// operator in the same process are shared.
func NewMetrics(registry prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mizzen_operator_writes_total",
			Help: "Objects of Models that were applied or removed."}, []string{"kind", "verb"}),
		drift: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mizzen_operator_drift_corrected_total",
			Help: "Objects of Models that somebody else had changed and that were put back."}, []string{"kind"}),
	}
	for _, c := range []**prometheus.CounterVec{&m.writes, &m.drift} {
		err := registry.Register(*c)
		if known, ok := err.(prometheus.AlreadyRegisteredError); ok { //nolint:errorlint // it is returned as it is
			*c, ok = known.ExistingCollector.(*prometheus.CounterVec)
			if !ok {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Metrics) applied(kind string) { m.writes.WithLabelValues(kind, "apply").Inc() }
func (m *Metrics) pruned(kind string)  { m.writes.WithLabelValues(kind, "delete").Inc() }
func (m *Metrics) drifted(kind string) { m.drift.WithLabelValues(kind).Inc() }

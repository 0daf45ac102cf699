package render

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"time"

	"mizzen.dev/api/v1alpha1"
)

// Of objectives that the spec leaves out.
const (
	defaultAvailability  = "99.9"
	defaultLatencyTarget = "99"
	defaultSLOWindow     = 30 * 24 * time.Hour
)

// Recording rules of an objective. The ratios stand by themselves so that an alert is
// one comparison, and so that what fired can be looked at.
const (
	recordTotal  = "mizzen:slo_requests:rate"
	recordBad    = "mizzen:slo_bad_requests:rate"
	recordRatio  = "mizzen:slo_bad_requests:ratio"
	recordBudget = "mizzen:slo_budget:remaining"
)

// objective is one promise to callers: the share of requests that may be bad, and the
// queries that count them.
type objective struct {
	slo    string // availability, latency
	alert  string
	budget float64 // the share of requests that may be bad: 0.001
	window time.Duration
	total  string
	bad    string
	// says what a bad request is, and where to look.
	says, look string
}

// burn is one condition of an alert on the budget: at factor times the pace that would
// use up just the budget, over a long window so that it matters, and over a short one so
// that it ends when the trouble does.
type burn struct {
	factor      float64
	long, short time.Duration
	severity    string
}

// budgetBurns are those of the Site Reliability Workbook, "Alerting on SLOs", for a
// window of 30 days: 2% of the budget in an hour, 5% in six, 10% in a day and in three.
var budgetBurns = [...]burn{
	{14.4, time.Hour, 5 * time.Minute, "critical"},
	{6, 6 * time.Hour, 30 * time.Minute, "critical"},
	{3, 24 * time.Hour, 2 * time.Hour, "warning"},
	{1, 72 * time.Hour, 6 * time.Hour, "warning"},
}

// leastBurnWindow bounds the windows of short objectives, whose share of the window
// would be less than some scrapes.
const leastBurnWindow = 10 * time.Minute

// burns scales the windows with that of the objective: the same share of the budget
// raises the same alert, whether it is for a day or for 90.
func burns(window, rate time.Duration) []burn {
	var scaled []burn
	for _, b := range budgetBurns {
		scale := func(d time.Duration) time.Duration {
			return time.Duration(float64(d) * float64(window) / float64(defaultSLOWindow)).Round(time.Minute)
		}
		b.long = max(scale(b.long), leastBurnWindow, 2*rate)
		b.short = max(scale(b.short), 2*rate)
		scaled = append(scaled, b)
	}
	return scaled
}

// threshold is the share of bad requests at which a burn fires. Of a large budget no
// outage uses 14 times as much: then all that is beyond the objective's own opposite
// is as bad as it gets.
func (o objective) threshold(b burn) float64 {
	return min(b.factor*o.budget, max(o.budget, 1-o.budget))
}

// lasts is how long a whole budget lasts at a burn.
func (o objective) lasts(b burn) time.Duration {
	return time.Duration(float64(o.window) * o.budget / o.threshold(b)).Round(time.Minute)
}

// budget of an objective; the schema lets no wrong one in.
func (r *renderer) budget(percent string) float64 {
	share, err := budgetOf(percent)
	if err != nil {
		r.fail(err)
	}
	return share
}

// budgetOf is the share of requests that an objective such as "99.9" lets fail.
func budgetOf(percent string) (float64, error) {
	target, err := strconv.ParseFloat(percent, 64)
	if err != nil || !(target > 0 && target < 100) { // NaN is neither
		return 0, fmt.Errorf("%q is not a percentage between 0 and 100", percent)
	}
	const digits = 1e8 // of a share: that of 99.9999 has six
	return math.Round((100-target)/100*digits) / digits, nil
}

// objectives of the spec, as far as the server has the metrics for them.
func (r *renderer) objectives() []objective {
	var all []objective
	alerts := r.observed().Alerts
	slo := v1alpha1.SLO{}
	if alerts.SLO != nil {
		slo = *alerts.SLO
	}
	if slo.Availability == "" {
		slo.Availability = defaultAvailability
	}
	window := defaultSLOWindow
	if slo.Window != nil {
		window = slo.Window.Duration
	}
	m, q, rate := r.profile.metrics, r.queries(), promDuration(r.rateWindow())
	if !m.requests.has() || !m.errors.has() {
		r.lacks(alerts.Mode, "spec.telemetry.alerts.slo", "requests that failed")
	} else {
		all = append(all, objective{
			slo: "availability", alert: "MizzenErrorBudgetBurn", budget: r.budget(slo.Availability), window: window,
			total: q.requests(rate), bad: q.errors(rate),
			says: "fail with an error of the server",
			look: "See which codes and pods they come from on the dashboard, then mizzenctl status and logs; if a new version began it, go back to the one before.",
		})
	}
	if slo.Latency != nil {
		if o, ok := r.latencyObjective(slo.Latency); ok {
			o.window = window
			all = append(all, o)
		}
	}
	return all
}

// latencyObjective is on the first bound of the histogram that is not below the
// threshold: between bounds, nobody counts.
func (r *renderer) latencyObjective(l *v1alpha1.LatencySLO) (objective, bool) {
	const path = "spec.telemetry.alerts.slo.latency"
	m, q, rate := r.profile.metrics, r.queries(), promDuration(r.rateWindow())
	if !m.latency.has() {
		r.refuse(path, conditionObserved, reasonMetricUnavailable, "%s has no histogram of latency: remove latency", r.runtimeName())
		return objective{}, false
	}
	bound, ok := boundFor(m.buckets, l.Threshold.Seconds())
	if !ok && m.buckets == nil {
		bound, ok = l.Threshold.Seconds(), true
		r.warn(path+".threshold", conditionObserved, reasonBeyondHistogram,
			"the bounds of %s are not known: the threshold must be one of them, or the alert never fires", m.latency.name)
	}
	if !ok {
		r.refuse(path+".threshold", conditionObserved, reasonBeyondHistogram, "%s has no bound above %v: use a threshold of at most %v",
			m.latency.name, l.Threshold.Duration, fromSeconds(m.buckets[len(m.buckets)-1]))
		return objective{}, false
	}
	target := l.Target
	if target == "" {
		target = defaultLatencyTarget
	}
	return objective{
		slo: "latency", alert: "MizzenLatencyBudgetBurn", budget: r.budget(target),
		total: q.measured(rate), bad: q.slow(bound, rate),
		says: fmt.Sprintf("take longer than %v", fromSeconds(bound)),
		look: "See on the dashboard whether requests wait (queue, in flight) or work longer than before: then give pods more CPU or allow more of them, or go back to the version before.",
	}, true
}

func fromSeconds(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }

// boundFor is the first of the bounds that is not below the threshold.
func boundFor(bounds []float64, threshold float64) (float64, bool) {
	for _, bound := range bounds {
		if bound >= threshold {
			return bound, true
		}
	}
	return 0, false
}

// recorded selects a recorded series of the objective.
func (r *renderer) recorded(record string, o objective, matchers ...string) string {
	s := series{record, fmt.Sprintf("model=%q,slo=%q", r.Model.Name, o.slo)}
	for _, m := range matchers {
		s = s.with(m)
	}
	return r.queries().vector(s)
}

// recordingRules of an objective. Long windows add up the recorded rates, two series,
// and not those of every pod, code and protocol over days.
func (r *renderer) recordingRules(o objective) []rule {
	labels := map[string]string{"namespace": r.Model.Namespace, "model": r.Model.Name, "slo": o.slo}
	rules := []rule{
		{Record: recordTotal, Expr: o.total, Labels: labels},
		{Record: recordBad, Expr: o.bad, Labels: labels},
	}
	seen := map[time.Duration]bool{}
	for _, b := range burns(o.window, r.rateWindow()) {
		for _, w := range []time.Duration{b.short, b.long} {
			if seen[w] {
				continue
			}
			seen[w] = true
			of := maps.Clone(labels)
			of["window"] = promDuration(w)
			rules = append(rules, rule{Record: recordRatio, Expr: r.badRatio(o, w), Labels: of})
		}
	}
	return rules
}

// badRatio is the share of bad requests in a window; nothing where there were none at
// all, so that no traffic is neither good nor bad.
func (r *renderer) badRatio(o objective, window time.Duration) string {
	over := promDuration(window)
	return fmt.Sprintf("sum_over_time(%s[%s]) / (sum_over_time(%s[%s]) > 0)",
		r.recorded(recordBad, o), over, r.recorded(recordTotal, o), over)
}

// budgetRule records the share of the budget that is left, which is below 0 when the
// objective is missed.
func (r *renderer) budgetRule(o objective) rule {
	return rule{
		Record: recordBudget,
		Expr:   fmt.Sprintf("1 - (%s) / %s", r.badRatio(o, o.window), number(o.budget)),
		Labels: map[string]string{"namespace": r.Model.Namespace, "model": r.Model.Name, "slo": o.slo},
	}
}

// burnAlerts of an objective.
func (r *renderer) burnAlerts(o objective) []rule {
	var alerts []rule
	for _, b := range burns(o.window, r.rateWindow()) {
		share := number(o.threshold(b))
		over := func(window time.Duration) string {
			return fmt.Sprintf("%s > %s", r.recorded(recordRatio, o, fmt.Sprintf("window=%q", promDuration(window))), share)
		}
		alerts = append(alerts, r.alert(alert{
			name: o.alert, severity: b.severity, labels: map[string]string{"slo": o.slo, "window": promDuration(b.long)},
			expr:    over(b.long) + " and ignoring (window) " + over(b.short),
			summary: fmt.Sprintf("Too many requests to %s %s", r.Model.Name, o.says),
			description: fmt.Sprintf("{{ $value | humanizePercentage }} of the requests of the last %s %s, where the objective allows %s over %s. Going on so, what it allows for %s is used up in %s or less. %s",
				promDuration(b.long), o.says, percent(o.budget), promDuration(o.window), promDuration(o.window), promDuration(o.lasts(b)), o.look),
		}))
	}
	return alerts
}

func percent(share float64) string { return number(share*100) + "%" }

package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// queries writes PromQL about one Model. Scaler, alerts and dashboard measure the same
// thing because they ask here.
type queries struct {
	namespace string
	metrics   metrics
}

func (r *renderer) queries() queries {
	return queries{namespace: r.Model.Namespace, metrics: r.profile.metrics}
}

// has says whether the server has the metric.
func (s series) has() bool { return s.name != "" }

// with returns the series with one more matcher.
func (s series) with(matcher string) series {
	if s.matchers != "" {
		matcher = s.matchers + "," + matcher
	}
	return series{s.name, matcher}
}

// suffixed returns a series of the same family: the _bucket of a histogram.
func (s series) suffixed(suffix string) series { return series{s.name + suffix, s.matchers} }

// vector selects the series of the Model.
func (q queries) vector(s series) string {
	matchers := fmt.Sprintf("%s=%q", targetNamespace, q.namespace)
	if s.matchers != "" {
		matchers += "," + s.matchers
	}
	return s.name + "{" + matchers + "}"
}

// rate is the increase of a counter a second, over window.
func (q queries) rate(s series, window string) string {
	return fmt.Sprintf("rate(%s[%s])", q.vector(s), window)
}

// sum adds up the pods, or those that agree in the labels by.
func sum(of string, by ...string) string { return aggregate("sum", of, by...) }

func aggregate(operator, of string, by ...string) string {
	if len(by) == 0 {
		return fmt.Sprintf("%s(%s)", operator, of)
	}
	return fmt.Sprintf("%s by (%s) (%s)", operator, strings.Join(by, ", "), of)
}

// requests is the answered requests a second.
func (q queries) requests(window string, by ...string) string {
	m := q.metrics
	if !m.errorsApart {
		return sum(q.rate(m.requests, window), by...)
	}
	// Labels may be the same in both, and or would then drop one: a label tells them apart.
	marked := func(s series, outcome string) string {
		return fmt.Sprintf(`label_replace(%s, "outcome", %q, "", "")`, q.rate(s, window), outcome)
	}
	return sum(marked(m.requests, "answered")+" or "+marked(m.errors, "failed"), by...)
}

// errors is the failed requests a second; 0 where a server has no series before the
// first of them.
func (q queries) errors(window string) string {
	return sum(q.rate(q.metrics.errors, window)) + " or vector(0)"
}

// errorRatio is the share of requests that failed; nothing without requests.
func (q queries) errorRatio(window string) string {
	return fmt.Sprintf("(%s) / (%s > 0)", q.errors(window), q.requests(window))
}

// quantile is the latency in seconds within which the share of requests is answered,
// for panels.
func (q queries) quantile(share float64, by ...string) string {
	buckets := sum(q.rate(q.metrics.latency.suffixed("_bucket"), panelWindow), append([]string{"le"}, by...)...)
	return fmt.Sprintf("histogram_quantile(%s, %s)%s", number(share), buckets, q.inSeconds())
}

// inSeconds turns the unit of the histogram into seconds.
func (q queries) inSeconds() string {
	if q.metrics.latencyUnit == 1 {
		return ""
	}
	return " * " + number(q.metrics.latencyUnit)
}

// measured is the requests a second whose time was taken, slow those of them that took
// longer than bound, which is one of the metrics' buckets.
func (q queries) measured(window string) string {
	return sum(q.rate(q.metrics.latency.suffixed("_count"), window))
}

func (q queries) slow(bound float64, window string) string {
	fast := q.metrics.latency.suffixed("_bucket").with(boundMatcher(bound / q.metrics.latencyUnit))
	return fmt.Sprintf("%s - %s", q.measured(window), sum(q.rate(fast, window)))
}

// boundMatcher matches a bucket, whose bound servers write with at most six digits.
// Whole numbers are written 1 or 1.0, by the format of the exposition and the version
// of Prometheus.
func boundMatcher(bound float64) string {
	const digits = 6
	le := strconv.FormatFloat(bound, 'g', digits, 64)
	if bound == math.Trunc(bound) && !strings.ContainsAny(le, "e.") {
		return fmt.Sprintf(`le=~"%s(\\.0)?"`, le)
	}
	return fmt.Sprintf("le=%q", le)
}

// level is the value of a gauge, all pods together, averaged over window: one scrape
// sees what happens to be at work at that moment.
func (q queries) level(s series, window string) string {
	return sum(fmt.Sprintf("avg_over_time(%s[%s])", q.vector(s), window))
}

// fullness is the share of its limit that a gauge has reached, by pod.
func (q queries) fullness(s, limit series) string {
	return fmt.Sprintf("%s / %s", sum(q.vector(s), targetPod), sum(q.vector(limit), targetPod))
}

// targets is 1 for each pod that Prometheus reaches and 0 for the others.
func (q queries) targets(model string) string { return q.vector(series{"up", ofTarget(model)}) }

// number writes what people would: without the digits that binary fractions add.
func number(f float64) string { return strconv.FormatFloat(f, 'g', 10, 64) }

// promDuration is how Prometheus writes a duration: 1d, 1h30m.
func promDuration(d time.Duration) string { return model.Duration(d).String() }

// Of the rates that scaler and alerts look at.
const (
	defaultScrapeInterval = 15 * time.Second
	leastRateWindow       = time.Minute
	// scrapesPerRate is how many scrapes a rate should span, so that one that is lost
	// does not make it jump.
	scrapesPerRate = 4
)

// scrapeInterval between two scrapes of a pod.
func (r *renderer) scrapeInterval() time.Duration {
	if t := r.spec.Telemetry; t != nil && t.Scrape != nil && t.Scrape.Interval != nil {
		return t.Scrape.Interval.Duration
	}
	if p := r.Platform.Prometheus; p != nil && p.Interval != nil {
		return p.Interval.Duration
	}
	return defaultScrapeInterval
}

// rateWindow is the shortest window in which a rate means something.
func (r *renderer) rateWindow() time.Duration {
	return max(leastRateWindow, scrapesPerRate*r.scrapeInterval())
}

package serve

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mizzen.dev/internal/version"
	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// latencyBuckets are the upper bounds of inference_latency_seconds.
var latencyBuckets = []float64{
	0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5,
}

// rowBuckets are the upper bounds of inference_batch_rows.
var rowBuckets = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384, 65536}

// countedStatuses are the codes that inference_requests_total tells apart. What
// is not among them counts as 500, so that no answer goes uncounted.
var countedStatuses = [...]int{
	http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
	http.StatusMethodNotAllowed, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge,
	http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusTooManyRequests,
	StatusClientClosed, http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
}

// maxClassSeries bounds the classes of a model that are counted one by one; the
// others count as "other".
const maxClassSeries = 100

const otherClass = "other"

// predictEndpoint is the value of the label of that name: whatever the protocol, a call
// asks for a prediction.
const predictEndpoint = "predict"

// Metrics are the counters of the server. Children are looked up when a model is
// loaded and not when a call comes, so that counting costs nanoseconds and every
// series is there, at 0, from the start.
type Metrics struct {
	registry *prometheus.Registry

	requests    *prometheus.CounterVec
	latency     *prometheus.HistogramVec
	rows        *prometheus.HistogramVec
	predictions *prometheus.CounterVec
	rejected    *prometheus.CounterVec
	rejections  [numCauses]prometheus.Counter
	notReady    prometheus.Counter
	loadTime    *prometheus.GaugeVec
	loads       *prometheus.CounterVec
	info        *prometheus.GaugeVec

	mu      sync.Mutex
	unnamed *callCounters // of calls that reached no model
}

// NewMetrics returns the metrics of one server. Gauges read the core's state
// when they are asked for.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "inference_requests_total",
			Help: "Inference calls that were answered, by HTTP status (also for gRPC). Model and version are empty for calls that reached no model.",
		}, []string{"endpoint", "model", "version", "protocol", "code"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "inference_latency_seconds",
			Help:    "Time from the end of the request's body to the answer: waiting, decoding, predicting and encoding.",
			Buckets: latencyBuckets,
		}, []string{"endpoint", "model", "version", "protocol"}),
		rows: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "inference_batch_rows",
			Help:    "Rows of the calls that were predicted.",
			Buckets: rowBuckets,
		}, []string{"model", "version"}),
		predictions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "inference_predictions_total",
			Help: "Predicted labels by class; classes beyond the first 100 count as other.",
		}, []string{"model", "version", "target", "class"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "inference_rejected_total",
			Help: "Calls that were refused before any work was done, by reason.",
		}, []string{"reason"}),
		loadTime: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "inference_model_load_seconds",
			Help: "Time that the last successful load took, with warm-up.",
		}, []string{"model", "version"}),
		loads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "inference_model_loads_total",
			Help: "Loads and reloads of model files, by result: success or failure.",
		}, []string{"model", "version", "result"}),
		info: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "inference_model_info",
			Help: "What is served: 1 for every model version that answers.",
		}, []string{"model", "version", "digest", "class", "library", "library_version"}),
	}
	m.registry.MustRegister(
		m.requests, m.latency, m.rows, m.predictions, m.rejected, m.loadTime, m.loads, m.info,
		buildInfo(),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	for cause := range m.rejections {
		m.rejections[cause] = m.rejected.WithLabelValues(Cause(cause).String())
	}
	m.notReady = m.rejected.WithLabelValues("not_ready")
	m.unnamed = m.counters("", "") // without latency: no work was done
	return m
}

func buildInfo() prometheus.Collector {
	v := version.Get()
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "mizzen_build_info",
		Help:        "Which build this is.",
		ConstLabels: prometheus.Labels{"version": v.Version, "commit": v.Commit, "go_version": v.Go},
	})
	g.Set(1)
	return g
}

// watch adds the gauges that read the state of c.
func (m *Metrics) watch(c *Core) {
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("inference_in_flight", "Calls at work.", func() float64 { return float64(c.Admission.Working()) })
	gauge("inference_in_flight_limit", "Calls that may be at work at a time.", func() float64 { return float64(c.Config.InFlight) })
	gauge("inference_queue_depth", "Calls that wait for their turn.", func() float64 { return float64(c.Admission.Waiting()) })
	gauge("inference_queue_limit", "Calls that may wait at a time.", func() float64 { return float64(c.Config.Queue) })
	gauge("inference_body_bytes", "Memory that large bodies and answers hold.", func() float64 { return float64(c.memory.used.Load()) })
	gauge("inference_ready", "1 if calls are answered: models loaded and warm, and not draining.", func() float64 {
		if c.Ready() == nil {
			return 1
		}
		return 0
	})
}

// handler answers GET /metrics, in Prometheus or OpenMetrics text.
func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, ErrorHandling: promhttp.ContinueOnError})
}

// callCounters count calls of one protocol each.
type callCounters [numProtocols]struct {
	codes   [len(countedStatuses)]prometheus.Counter
	latency prometheus.Observer
}

func (m *Metrics) counters(name, version string) *callCounters {
	c := &callCounters{}
	for p := range c {
		protocol := Protocol(p).String()
		for i, status := range countedStatuses {
			c[p].codes[i] = m.requests.WithLabelValues(predictEndpoint, name, version, protocol, strconv.Itoa(status))
		}
		if name != "" {
			c[p].latency = m.latency.WithLabelValues(predictEndpoint, name, version, protocol)
		}
	}
	return c
}

func (c *callCounters) count(p Protocol, status int) {
	for i, s := range countedStatuses {
		if s == status {
			c[p].codes[i].Inc()
			return
		}
	}
	c.count(p, http.StatusInternalServerError)
}

// servedMetrics are the children that belong to one model version.
type servedMetrics struct {
	calls *callCounters
	rows  prometheus.Observer
	// classes has one list a target; an entry a class, and one for the others.
	// labels are their names.
	classes [][]prometheus.Counter
	labels  [][]string
}

// served returns the children of a model version.
func (m *Metrics) served(name, version string, sig *model.Signature) servedMetrics {
	s := servedMetrics{calls: m.counters(name, version), rows: m.rows.WithLabelValues(name, version)}
	out, ok := sig.Output(frame.Predict)
	if !ok || out.Kind != frame.Label {
		return s
	}
	left := maxClassSeries
	for target, classes := range out.Classes {
		n := min(len(classes.Values), left)
		left -= n
		labels := make([]string, 0, n+1)
		for _, class := range classes.Values[:n] {
			labels = append(labels, className(class))
		}
		if n < len(classes.Values) {
			labels = append(labels, otherClass)
		}
		counters := make([]prometheus.Counter, len(labels))
		for i, label := range labels {
			counters[i] = m.predictions.WithLabelValues(name, version, strconv.Itoa(target), label)
		}
		s.classes, s.labels = append(s.classes, counters), append(s.labels, labels)
	}
	return s
}

// maxClassName bounds the length of a class in a label.
const maxClassName = 128

func className(v frame.Value) string {
	name, ok := v.Text()
	if !ok {
		name = v.String()
	}
	return strings.ToValidUTF8(name[:min(len(name), maxClassName)], "")
}

// predicted counts the labels of an answer.
func (s *servedMetrics) predicted(a *frame.Arena, out *frame.Array) {
	if s.classes == nil || out.Kind != frame.Label {
		return
	}
	targets := out.Width()
	if len(out.Codes) == 1 {
		s.class(0, int(out.Codes[0])).Inc()
		return
	}
	for target := range min(targets, len(s.classes)) {
		counts := a.Ints(len(s.classes[target]))
		for i := target; i < len(out.Codes); i += targets {
			counts[min(int(out.Codes[i]), len(counts)-1)]++
		}
		for class, n := range counts {
			if n > 0 {
				s.class(target, class).Add(float64(n))
			}
		}
	}
}

func (s *servedMetrics) class(target, class int) prometheus.Counter {
	counters := s.classes[target]
	return counters[min(class, len(counters)-1)]
}

// refuse counts an inference that was refused, if err says so: for what is reject,
// or because its model is being loaded or is not available.
func (m *Metrics) refuse(err error) {
	var notReady *NotReadyError
	if errors.As(err, &notReady) {
		m.notReady.Inc()
		return
	}
	m.reject(err)
}

// reject counts a call of any kind that was refused, if err says so.
func (m *Metrics) reject(err error) {
	var rejection *Rejection
	if errors.As(err, &rejection) {
		m.rejections[rejection.Cause].Inc()
	}
}

// loaded records a load that succeeded; former is the version's former content,
// or nil. Classes that are no more lose their series: reloads must not add up.
func (m *Metrics) loaded(s, former *Served, took time.Duration) {
	sig := s.Model.Signature()
	if former != nil {
		for target, labels := range former.metrics.labels {
			for _, label := range labels {
				if target >= len(s.metrics.labels) || !slices.Contains(s.metrics.labels[target], label) {
					m.predictions.DeleteLabelValues(s.Name, s.Version, strconv.Itoa(target), label)
				}
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.info.DeletePartialMatch(prometheus.Labels{"model": s.Name, "version": s.Version})
	m.info.WithLabelValues(s.Name, s.Version, sig.Digest, sig.Class, sig.Library, sig.LibraryVersion).Set(1)
	m.loadTime.WithLabelValues(s.Name, s.Version).Set(took.Seconds())
	m.loads.WithLabelValues(s.Name, s.Version, "success").Inc()
	m.loads.WithLabelValues(s.Name, s.Version, "failure").Add(0)
}

// failed records a load that failed.
func (m *Metrics) failed(name, version string) {
	m.loads.WithLabelValues(name, version, "failure").Inc()
	m.loads.WithLabelValues(name, version, "success").Add(0)
}

// unloaded forgets the series of a version that is gone, so that their number
// stays bounded while versions come and go.
func (m *Metrics) unloaded(name, version string) {
	labels := prometheus.Labels{"model": name, "version": version}
	for _, vec := range []interface {
		DeletePartialMatch(prometheus.Labels) int
	}{m.requests, m.latency, m.rows, m.predictions, m.loadTime, m.loads, m.info} {
		vec.DeletePartialMatch(labels)
	}
}

package chart

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	corev1 "k8s.io/api/core/v1"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

// kind of a variable's value.
type kind int

const (
	number kind = iota // int64
	words              // string
)

// variable is something that differs between environments: a value of the chart, or
// the namespace of its release.
type variable struct {
	kind   kind
	action string
	now    any
	// probes are values to render with, to see what they change. The last one is the
	// mark: unlike anything else in the objects, so that it is found in their strings.
	probes []any
	// free says that the text may hold anything, quotes as well.
	free bool
	set  func(*v1alpha1.Model, any)
	// derived says that the value follows from that of another variable.
	derived *startup
	// values of values.yaml that it is made of; the namespace has none.
	values []value
}

// value is an entry of values.yaml.
type value struct {
	path    []string
	now     any
	comment string
	schema  map[string]any
}

func (v *variable) mark() any { return v.probes[len(v.probes)-1] }

// maxOtherMarks bounds how many numbers are tried as a mark. A few less do not change
// which of two marks is the larger.
const maxOtherMarks = 40

// setApart gives numbers marks that are not in the texts by chance, as in a name or a
// version. One that has no such mark keeps its own.
func setApart(vars []*variable, texts string) {
	for _, v := range vars {
		mark, err := strconv.ParseInt(fmt.Sprint(v.mark()), 10, 64)
		if err != nil {
			continue // a name
		}
		for n := mark; n > mark-min(maxOtherMarks, mark/2); n-- {
			written := strconv.FormatInt(n, 10)
			if strings.Contains(texts, written) {
				continue
			}
			texts += " " + written // it is taken
			v.probes[len(v.probes)-1] = any(n)
			if v.kind == words {
				v.probes[len(v.probes)-1] = written
			}
			break
		}
	}
}

// name for messages.
func (v *variable) name() string {
	if len(v.values) == 0 {
		return "the release's namespace"
	}
	return strings.Join(v.values[0].path, ".")
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// access is the template expression for a path of values.yaml.
func access(path []string) string {
	if !slices.ContainsFunc(path, func(key string) bool { return !identifier.MatchString(key) }) {
		return ".Values." + strings.Join(path, ".")
	}
	keys := make([]string, len(path))
	for i, key := range path {
		keys[i] = fmt.Sprintf("%q", key)
	}
	return "(index .Values " + strings.Join(keys, " ") + ")"
}

// variables are what the Model lets differ. What it does not have, such as a host
// without expose, is none.
func variables(model *v1alpha1.Model, image string, effective *v1alpha1.Resources, p *platform.Platform) []*variable {
	b := &builder{}
	b.text(nil, "", model.Namespace, nil, "ns-qzmark", func(m *v1alpha1.Model, s string) { m.Namespace = s })
	b.vars[0].action = ".Release.Namespace"
	b.image(model, image)
	b.replicas(model)
	if s := model.Spec.Scale; s != nil {
		b.scale(s)
	}
	if e := model.Spec.Expose; e != nil {
		b.expose(e)
		if e.TLS != nil {
			b.tls(e.TLS, noTLS(model, p))
		}
	}
	b.resources(effective)
	for _, name := range sortedKeys(model.Spec.Config) {
		b.entry(name, string(model.Spec.Config[name]))
	}
	return b.vars
}

// entry adds an entry of config.
func (b *builder) entry(name, now string) {
	path := []string{"config", name}
	schema := map[string]any{"type": []any{"string", "number", "boolean"}, "maxLength": 4096}
	mark := "qzmark-" + strings.ToLower(name)
	set := func(m *v1alpha1.Model, s string) { m.Spec.Config[name] = v1alpha1.ConfigValue(s) }
	if render.LeadsToStore(name) {
		a := addressOf(now)
		schema["type"], schema["pattern"] = "string", a.pattern()
		v := b.text(path, "the scheme and the port stay as they are: the NetworkPolicy opens that one", now, schema, a.at(mark), set)
		v.action = "(toString " + access(path) + ")"
		return
	}
	v := b.text(path, "", now, schema, mark, set)
	v.action = "(toString " + access(path) + ")"
	v.free = true
	v.probes = slices.Insert(v.probes, 0, any(`it's "quoted" \ {{ here }}`))
}

// address is what stands around the host of an address.
type address struct{ scheme, port string }

var aroundHost = regexp.MustCompile(`^([a-z0-9+.-]+://)?(?:[^/@]*@)?(?:\[[^\]]*\]|[^/@:]*)(:[0-9]+)?`)

func addressOf(text string) address {
	found := aroundHost.FindStringSubmatch(text)
	return address{scheme: found[1], port: found[2]}
}

// at is the address with another host.
func (a address) at(host string) string { return a.scheme + host + a.port }

// pattern is of all addresses with the scheme and the port.
func (a address) pattern() string {
	return "^" + regexp.QuoteMeta(a.scheme) + `([^/@]*@)?(\[[^\]]*\]|[^/@:]+)` + a.port + "(/.*)?$"
}

// builder collects variables.
type builder struct {
	vars []*variable
}

// text adds a variable that is a string.
func (b *builder) text(path []string, comment, now string, schema map[string]any, mark string, set func(*v1alpha1.Model, string)) *variable {
	other := strings.NewReplacer("qzmark", "other", "Qzmark", "Other").Replace(mark)
	v := &variable{kind: words, now: now, probes: []any{other, mark}, set: func(m *v1alpha1.Model, x any) { set(m, x.(string)) }}
	if path != nil {
		v.action = access(path)
		v.values = []value{{path, now, comment, schema}}
	}
	b.vars = append(b.vars, v)
	return v
}

// number adds a variable that is an integer of at least low.
func (b *builder) number(path []string, comment string, now, low, high int32, mark int64, set func(*v1alpha1.Model, int32)) {
	probes := []any{int64(high)}
	for n := int64(low); n < int64(low)+4; n++ {
		probes = append(probes, n)
	}
	b.vars = append(b.vars, &variable{
		kind: number, action: "(int64 " + access(path) + ")", now: int64(now),
		probes: append(probes, int64(now)+1, mark),
		set:    func(m *v1alpha1.Model, x any) { set(m, int32(x.(int64))) },
		values: []value{{path, int64(now), comment, map[string]any{"type": "integer", "minimum": low, "maximum": high}}},
	})
}

// amount adds a quantity without a unit, which Kubernetes keeps in thousandths.
func (b *builder) amount(path []string, comment string, now resource.Quantity, mark string, set func(*v1alpha1.Model, resource.Quantity)) {
	schema := map[string]any{"oneOf": []any{
		map[string]any{"type": "number", "minimum": 0.001, "maximum": 999999},
		map[string]any{"type": "string", "pattern": `^([1-9][0-9]*|[0-9]+\.[0-9]{1,3})$`},
	}}
	v := b.text(path, comment, decimal(now), schema, mark, func(m *v1alpha1.Model, s string) { set(m, resource.MustParse(s)) })
	v.action = "(toString " + access(path) + ")"
	v.probes = slices.Insert(v.probes, 0, any("2.5"), any("1200"))
}

// decimal writes a quantity without a suffix.
func decimal(q resource.Quantity) string { return q.AsDec().String() }

// Bounds of the API that the schema repeats.
const (
	maxReplicas  = 10000
	maxThreshold = 100
	maxPercent   = 1000
)

func (b *builder) replicas(model *v1alpha1.Model) {
	if model.Spec.Replicas == nil {
		return
	}
	comment, most := "How many pods run.", int32(maxReplicas)
	if render.OnePod(&model.Spec) {
		comment, most = "How many pods run: one at most, which the volume of the cache is for.", 1
	}
	b.number([]string{"replicas"}, comment, *model.Spec.Replicas, 0, most, 7919,
		func(m *v1alpha1.Model, n int32) { m.Spec.Replicas = &n })
}

func (b *builder) scale(s *v1alpha1.Scale) {
	b.number([]string{"scale", "minReplicas"}, "The least number of pods.", s.MinReplicas, 1, maxReplicas, 4111,
		func(m *v1alpha1.Model, n int32) { m.Spec.Scale.MinReplicas = n })
	b.number([]string{"scale", "maxReplicas"}, "The most.", s.MaxReplicas, 1, maxReplicas, 9173,
		func(m *v1alpha1.Model, n int32) { m.Spec.Scale.MaxReplicas = n })
	b.target(s.Target)
	for i, entry := range s.Schedule {
		b.number([]string{"scale", "schedule", entry.Name, "replicas"}, "The least number of pods in the hours of "+entry.Name+".",
			entry.Replicas, 1, maxReplicas, 5051+int64(i), func(m *v1alpha1.Model, n int32) { m.Spec.Scale.Schedule[i].Replicas = n })
	}
	if f := s.Fallback; f != nil {
		b.number([]string{"scale", "fallback", "replicas"}, "The least number of pods when the load cannot be measured.", f.Replicas, 1, maxReplicas, 4799,
			func(m *v1alpha1.Model, n int32) { m.Spec.Scale.Fallback.Replicas = n })
		b.number([]string{"scale", "fallback", "failureThreshold"}, "After how many failed measurements in a row.", f.FailureThreshold, 1, maxThreshold, 83,
			func(m *v1alpha1.Model, n int32) { m.Spec.Scale.Fallback.FailureThreshold = n })
	}
}

func (b *builder) target(t *v1alpha1.ScaleTarget) {
	if t == nil {
		return
	}
	path := func(name string) []string { return []string{"scale", "target", name} }
	if t.CPUUtilization != nil {
		b.number(path("cpuUtilization"), "The CPU that a pod uses, as a percentage of what it asks for.", *t.CPUUtilization, 1, maxPercent, 787,
			func(m *v1alpha1.Model, n int32) { m.Spec.Scale.Target.CPUUtilization = &n })
	}
	if t.RequestsPerSecond != nil {
		b.amount(path("requestsPerSecond"), "The predictions that a pod answers in a second.", *t.RequestsPerSecond, "6841",
			func(m *v1alpha1.Model, q resource.Quantity) { m.Spec.Scale.Target.RequestsPerSecond = &q })
	}
	if t.Concurrency != nil {
		b.amount(path("concurrency"), "The requests that a pod works on at a time.", *t.Concurrency, "6863",
			func(m *v1alpha1.Model, q resource.Quantity) { m.Spec.Scale.Target.Concurrency = &q })
	}
	if t.QueueLength != nil {
		b.amount(path("queueLength"), "The requests that wait in a pod.", *t.QueueLength, "6869",
			func(m *v1alpha1.Model, q resource.Quantity) { m.Spec.Scale.Target.QueueLength = &q })
	}
}

// The pattern of host names, as in the API.
const hostPattern = `^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`

func objectName() map[string]any {
	return map[string]any{"type": "string", "minLength": 1, "maxLength": 253, "pattern": `^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`}
}

func (b *builder) expose(e *v1alpha1.Expose) {
	b.text([]string{"expose", "host"}, "The host name under which the model is reached.", e.Host,
		map[string]any{"type": "string", "minLength": 1, "maxLength": 253, "pattern": hostPattern}, "host.qzmark.example",
		func(m *v1alpha1.Model, s string) { m.Spec.Expose.Host = s })
}

// noTLS is what becomes of the Model without TLS, in words; "" if that cannot be.
func noTLS(model *v1alpha1.Model, p *platform.Platform) string {
	m := model.DeepCopy()
	m.Spec.Expose.TLS = nil
	result, err := render.Render(render.Input{Model: m, Platform: p})
	switch {
	case err != nil || len(result.Refusals()) > 0:
		return ""
	case p.Defaults.IssuerRef != nil:
		return " If it is empty, the platform's default issuer makes one."
	}
	return " If it is empty, there is no TLS."
}

// tls adds where the certificate is from. With without, its name may be empty.
func (b *builder) tls(t *v1alpha1.TLS, without string) {
	optional := func(v *variable) {
		if without == "" {
			return
		}
		v.probes = slices.Insert(v.probes, 0, any(""))
		val := &v.values[0]
		val.comment += without
		val.schema["minLength"], val.schema["pattern"] = 0, emptyOr(val.schema["pattern"])
		set := v.set
		v.set = func(m *v1alpha1.Model, x any) {
			if x == "" {
				m.Spec.Expose.TLS = nil
				return
			}
			set(m, x)
		}
	}
	if t.SecretName != "" {
		optional(b.text([]string{"expose", "tls", "secretName"}, "The Secret with the certificate.", t.SecretName, objectName(), "secret-qzmark",
			func(m *v1alpha1.Model, s string) { m.Spec.Expose.TLS.SecretName = s }))
	}
	if t.IssuerRef != nil {
		optional(b.text([]string{"expose", "tls", "issuerRef", "name"}, "Who issues the certificate.", t.IssuerRef.Name, objectName(), "issuer-qzmark",
			func(m *v1alpha1.Model, s string) { m.Spec.Expose.TLS.IssuerRef.Name = s }))
		b.text([]string{"expose", "tls", "issuerRef", "kind"}, "ClusterIssuer, or Issuer for one of the release's namespace.", t.IssuerRef.Kind,
			map[string]any{"type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[A-Za-z]+$"}, "KindQzmark",
			func(m *v1alpha1.Model, s string) {
				if m.Spec.Expose.TLS != nil {
					m.Spec.Expose.TLS.IssuerRef.Kind = s
				}
			})
	}
}

// emptyOr is a pattern that takes the empty string, too.
func emptyOr(pattern any) string {
	return "^(" + strings.TrimSuffix(strings.TrimPrefix(pattern.(string), "^"), "$") + ")?$"
}

// quantityPattern is how quantities are mostly written.
const quantityPattern = `^[0-9]+(\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$`

// resources of the server's container: those of the Model, or what rendering gives a
// Model that asks for none.
func (b *builder) resources(effective *v1alpha1.Resources) {
	full := func(m *v1alpha1.Model) *v1alpha1.Resources {
		if m.Spec.Resources == nil {
			m.Spec.Resources = &v1alpha1.Resources{}
		}
		for _, side := range []struct{ from, to *corev1.ResourceList }{
			{&effective.Requests, &m.Spec.Resources.Requests}, {&effective.Limits, &m.Spec.Resources.Limits}} {
			if *side.to == nil {
				*side.to = corev1.ResourceList{}
			}
			for name, q := range *side.from {
				if _, ok := (*side.to)[name]; !ok && isComputed(name) {
					(*side.to)[name] = q
				}
			}
		}
		return m.Spec.Resources
	}
	probes := map[string][]any{
		"requests.cpu": {"3", "1731m"}, "requests.memory": {"3Gi", "1733Mi"}, "requests.ephemeral-storage": {"5Gi", "1741Mi"},
		"limits.cpu": {"4", "1759m"}, "limits.memory": {"40Gi", "64Mi", "1500Mi", "7000Mi", "3779Mi"}, "limits.ephemeral-storage": {"6Gi", "1783Mi"},
	}
	for _, side := range []struct {
		name string
		list corev1.ResourceList
	}{{"requests", effective.Requests}, {"limits", effective.Limits}} {
		for _, name := range sortedKeys(side.list) {
			if !isComputed(name) {
				continue
			}
			path := []string{"resources", side.name, string(name)}
			now := side.list[name]
			v := b.text(path, "", now.String(), map[string]any{"type": []any{"string", "number"}, "pattern": quantityPattern}, "",
				func(m *v1alpha1.Model, s string) {
					list := full(m).Requests
					if side.name == "limits" {
						list = m.Spec.Resources.Limits
					}
					list[name] = resource.MustParse(s)
				})
			v.action = "(toString " + access(path) + ")"
			v.probes = probes[side.name+"."+string(name)]
		}
	}
}

// isComputed tells what every container has from what devices offer.
func isComputed(name corev1.ResourceName) bool {
	return name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourceEphemeralStorage
}

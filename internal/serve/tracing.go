package serve

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"mizzen.dev/internal/version"
)

// Tracing sends OpenTelemetry traces over OTLP. The nil *Tracing does nothing,
// at no cost.
type Tracing struct {
	provider   *sdktrace.TracerProvider
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
}

// NewTracing returns tracing as the OTEL_* variables ask for it; nil if they do
// not. The exporters read the variables for endpoint, headers, TLS, time-outs
// and sampling themselves.
func NewTracing(ctx context.Context, getenv func(string) string, log *slog.Logger) (*Tracing, error) {
	if !wantsTraces(getenv) {
		return nil, nil
	}
	// The SDK has one place for what goes wrong in the background, and it is
	// global: without this it would write to standard error in a form of its own.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "error", err) }))
	exporter, err := newExporter(ctx, getenv)
	if err != nil {
		return nil, err
	}
	res, err := resource.New(ctx,
		resource.WithAttributes(
			attribute.String("service.name", "mizzen"),
			attribute.String("service.version", version.Get().Version)),
		resource.WithTelemetrySDK(),
		resource.WithHost(),
		resource.WithFromEnv(), // the last one counts: OTEL_SERVICE_NAME
	)
	if err != nil {
		return nil, fmt.Errorf("reading OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(res))
	return &Tracing{
		provider:   provider,
		tracer:     provider.Tracer("mizzen.dev/internal/serve"),
		propagator: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
	}, nil
}

// wantsTraces follows the OpenTelemetry specification, but for the default: no
// exporter unless an endpoint is named.
func wantsTraces(getenv func(string) string) bool {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	switch getenv("OTEL_TRACES_EXPORTER") {
	case "none":
		return false
	case "":
		return getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
	}
	return true
}

func newExporter(ctx context.Context, getenv func(string) string) (*otlptrace.Exporter, error) {
	if name := getenv("OTEL_TRACES_EXPORTER"); name != "" && name != "otlp" {
		return nil, fmt.Errorf("OTEL_TRACES_EXPORTER is %q: only otlp and none are supported", name)
	}
	protocol := getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	if protocol == "" {
		protocol = getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	// The specification's default is http://localhost, that of the exporters https.
	local := getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == ""
	switch protocol {
	case "", "http/protobuf":
		var options []otlptracehttp.Option
		if local {
			options = append(options, otlptracehttp.WithInsecure())
		}
		return otlptracehttp.New(ctx, options...)
	case "grpc":
		var options []otlptracegrpc.Option
		if local {
			options = append(options, otlptracegrpc.WithInsecure())
		}
		return otlptracegrpc.New(ctx, options...)
	}
	return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q: only http/protobuf and grpc are supported", protocol)
}

// stop sends what is left.
func (t *Tracing) stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Extract returns ctx with the caller's trace, which the carrier (the headers of
// the request) may hold.
func (c *Core) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	if c.tracing == nil {
		return ctx
	}
	return c.tracing.propagator.Extract(ctx, carrier)
}

// Traces reports whether calls are traced: if not, [Core.Extract] is of no use.
func (c *Core) Traces() bool { return c.tracing != nil }

// span is a part of a call; the zero span is none.
type span struct{ trace.Span }

// call starts the span of a whole call.
func (t *Tracing) call(ctx context.Context, call *Call) (context.Context, span) {
	if t == nil {
		return ctx, span{}
	}
	ctx, s := t.tracer.Start(ctx, call.Operation, trace.WithSpanKind(trace.SpanKindServer))
	return ctx, span{s}
}

// span starts a span within that of the call.
func (t *Tracing) span(ctx context.Context, name string) span {
	if t == nil {
		return span{}
	}
	_, s := t.tracer.Start(ctx, name)
	return span{s}
}

// end ends a part of a call.
func (s span) end(err error) {
	if s.Span == nil {
		return
	}
	if err != nil {
		s.RecordError(err)
		s.SetStatus(codes.Error, err.Error())
	}
	s.End()
}

// endCall ends a call. Only a fault of the server's is an error of its span, as
// the conventions for HTTP have it.
func (s span) endCall(call *Call, err error) {
	if s.Span == nil {
		return
	}
	s.SetAttributes(
		attribute.String("mizzen.protocol", call.Protocol.String()),
		attribute.Int("http.response.status_code", call.Status))
	if call.Served != nil {
		s.SetAttributes(
			attribute.String("mizzen.model.name", call.Served.Name),
			attribute.String("mizzen.model.version", call.Served.Version))
	}
	if err != nil && call.Status >= 500 {
		s.RecordError(err)
		s.SetStatus(codes.Error, err.Error())
	}
	s.End()
}

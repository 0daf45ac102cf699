package openapi

// The groups of paths that can be exempt from keys, as the configuration has them.
const (
	groupProbes   = "probes"
	groupMetrics  = "metrics"
	groupDocs     = "docs"
	groupMetadata = "metadata"
)

// lists are the paths that tell what is served.
func (b *builder) lists() {
	names := schema{Type: "array", Items: &schema{Type: "string"}}
	b.get("/v1/models", &operation{
		Tags: []string{"v1"}, OperationID: "v1Models", group: groupMetadata, Summary: "The models",
		Responses: ok("Their names.", fields(schema{}, required("models"), field{"models", names})),
	})
	b.get("/v2/models", &operation{
		Tags: []string{"v2"}, OperationID: "v2Models", group: groupMetadata, Summary: "The models",
		Responses: ok("Their names.", fields(schema{}, required("models"), field{"models", names})),
	})
	b.get("/v2", &operation{
		Tags: []string{"v2"}, OperationID: "v2Server", group: groupMetadata, Summary: "The server",
		Responses: ok("Name, version and extensions.", fields(schema{}, required("name", "version", "extensions"),
			field{"name", schema{Type: "string"}}, field{"version", schema{Type: "string"}}, field{"extensions", names})),
	})
	status := fields(schema{}, required("name"),
		field{"name", schema{Type: "string"}}, field{"version", schema{Type: "string"}},
		field{"state", schema{Type: "string", Examples: []any{"READY"}}}, field{"reason", schema{Type: "string"}})
	b.post("/v2/repository/index", &operation{
		Tags: []string{"v2"}, OperationID: "v2Index", group: groupMetadata, Summary: "The models and their states",
		Responses: ok("All versions of all models.", schema{Type: "array", Items: &status}),
	})
	if !b.server.Load {
		return
	}
	name := []parameter{{Name: "name", In: "path", Required: true, Schema: schema{Type: "string"}}}
	for _, action := range []string{"load", "unload"} {
		responses := object("200", response{Description: "Done."})
		responses.add("400", refused("It could not be done: the error says why.", `no model "x" is served`))
		b.post("/v2/repository/models/{name}/"+action, &operation{
			Tags: []string{"v2"}, OperationID: "v2" + action, Parameters: name,
			Summary: action + " a model", Responses: responses,
		})
	}
}

// operations are the paths for whoever runs the server.
func (b *builder) operations() {
	truth := func(name string) schema {
		return fields(schema{}, required(name), field{name, schema{Type: "boolean"}})
	}
	probe := func(path, id, summary string, s schema) {
		responses := ok("Yes.", s)
		if id != "live" && id != "healthz" {
			responses.add("503", response{Description: "No: loading or draining."})
		}
		b.get(path, &operation{Tags: []string{"operate"}, OperationID: id, group: groupProbes, Summary: summary, Responses: responses})
	}
	probe("/healthz", "healthz", "Is the process alive?", schema{Type: "object"})
	probe("/readyz", "readyz", "Is the model loaded and warm, and not draining?", schema{Type: "object"})
	probe("/v2/health/live", "live", "Is the process alive?", truth("live"))
	probe("/v2/health/ready", "ready", "Is the server ready?", truth("ready"))
	text := func(path, id, group, summary, contentType string) {
		content := object(contentType, mediaType{Schema: &schema{Type: "string"}})
		b.get(path, &operation{Tags: []string{"operate"}, OperationID: id, group: group, Summary: summary,
			Responses: object("200", response{Description: summary, Content: content})})
	}
	text("/ping", "ping", groupProbes, "Is the server ready? (MLflow, SageMaker)", "text/plain")
	text("/metrics", "metrics", groupMetrics, "Metrics for Prometheus", "text/plain")
	text("/version", "version", groupDocs, "The version of the server", "text/plain")
	b.get("/openapi.json", &operation{
		Tags: []string{"operate"}, OperationID: "openapi", group: groupDocs, Summary: "This document",
		Responses: ok("OpenAPI 3.1.", schema{Type: "object"}),
	})
}

package openapi

// v1 are the paths of KServe's protocol, version 1, for one model.
func (b *builder) v1(e *entry) {
	row := ref(e.component("Row"))
	instance := row
	if e.sig.Named {
		instance = schema{AnyOf: []schema{row, ref(e.component("Record"))}}
	}
	b.define(e.component("V1Request"), fields(schema{}, required("instances"),
		field{"instances", schema{Type: "array", Items: &instance, Description: "The rows."}}))
	b.define(e.component("V1Response"), fields(schema{}, required("predictions"),
		field{"predictions", ref(e.component("output_" + e.sig.Default().String()))}))

	request := func() *requestBody {
		return &requestBody{Required: true, Content: object("application/json", mediaType{
			Schema:   refTo(e.component("V1Request")),
			Examples: object("one", example{"one row", object("instances", any([]any{e.exampleSample(false)}))}),
		})}
	}
	predictions := func() ordered[response] {
		return answers("One prediction a row.", refTo(e.component("V1Response")))
	}
	ready := func() ordered[response] {
		return ok("The model's name, and whether it is ready.", fields(schema{}, required("name", "ready"),
			field{"name", schema{Type: "string"}}, field{"ready", schema{Type: "boolean"}}))
	}
	b.get("/v1/models/"+e.path, &operation{
		Tags: []string{"v1"}, OperationID: e.operation("v1Model"), group: groupMetadata,
		Summary: "Is the model ready?", Responses: ready(),
	})
	b.get("/v1/models/"+e.path+"/versions/{version}", &operation{
		Tags: []string{"v1"}, OperationID: e.operation("v1ModelVersion"), group: groupMetadata, Parameters: []parameter{e.versionParameter()},
		Summary: "Is the version ready?", Responses: ready(),
	})
	b.post("/v1/models/"+e.path+":predict", &operation{
		Tags: []string{"v1"}, OperationID: e.operation("v1Predict"),
		Summary: "Predict", RequestBody: request(), Responses: predictions(),
	})
	b.post("/v1/models/"+e.path+"/versions/{version}:predict", &operation{
		Tags: []string{"v1"}, OperationID: e.operation("v1PredictVersion"), Parameters: []parameter{e.versionParameter()},
		Summary: "Predict with a version", RequestBody: request(), Responses: predictions(),
	})
}

// versionParameter is the version of a model in a path.
func (e *entry) versionParameter() parameter {
	return parameter{Name: "version", In: "path", Required: true, Schema: schema{Type: "string"}, Example: e.Version}
}

// ok is a response that only succeeds.
func ok(description string, s schema) ordered[response] {
	return object("200", response{Description: description, Content: body(s)})
}

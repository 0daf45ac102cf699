package openapi

// shared defines the schemas that are the same for every model.
func (b *builder) shared() {
	b.define("Number", schema{
		Description: "A number; null stands for NaN.",
		AnyOf:       []schema{{Type: []string{"number", "null"}}, {Enum: []any{"Infinity", "-Infinity"}}},
		Examples:    []any{0.5},
	})
	b.define("Error", fields(schema{Description: "What is wrong, where, and what to do."}, required("error"),
		field{"error", schema{Type: "string"}}))
}

// field is one property of an object.
type field struct {
	name   string
	schema schema
}

func required(names ...string) []string { return names }

// fields makes s an object with properties.
func fields(s schema, required []string, properties ...field) schema {
	s.Type, s.Required = "object", required
	for _, p := range properties {
		s.Properties.add(p.name, p.schema)
	}
	return s
}

// native is POST /predict, or /predict/NAME if there are several models.
func (b *builder) native(e *entry) {
	path := "/predict"
	if e.id != "" {
		path += "/" + e.path
	}
	outputs := schema{
		Type: "array", Items: &schema{Enum: e.outputs()},
		Description: "What to answer beside the " + e.answerName() + ", by scikit-learn's method names.",
	}
	request := fields(schema{}, required("inputs"), field{"inputs", e.rowsInAnyForm()}, field{"outputs", outputs})
	request.Additional = false
	b.define(e.component("PredictRequest"), request)
	b.define(e.component("PredictResponse"), e.nativeResponse())

	for _, at := range []struct {
		path, id, summary string
		parameters        []parameter
	}{
		{path, "predict", "Predict with " + e.Name, nil},
		{"/predict/" + e.path + "/versions/{version}", "predictVersion", "Predict with a version of " + e.Name, []parameter{e.versionParameter()}},
	} {
		b.post(at.path, &operation{
			Tags: []string{"predict"}, OperationID: e.operation(at.id), Parameters: at.parameters,
			Summary: at.summary, Description: e.describeInputs(),
			RequestBody: &requestBody{Required: true, Content: object("application/json", mediaType{
				Schema: refTo(e.component("PredictRequest")), Examples: e.nativeExamples(),
			})},
			Responses: answers("The "+e.answerName()+" of each row.", refTo(e.component("PredictResponse"))),
		})
	}
}

// rowsInAnyForm is what /predict takes as inputs.
func (e *entry) rowsInAnyForm() schema {
	row := ref(e.component("Row"))
	list := schema{Type: "array", Items: &row}
	if e.sig.Values {
		return list
	}
	forms := []schema{row, list}
	if e.sig.Named {
		record := ref(e.component("Record"))
		forms = append(forms, record, schema{Type: "array", Items: &record})
	}
	return schema{AnyOf: forms}
}

func (e *entry) describeInputs() string {
	text := "`inputs` is one row or a list of rows."
	switch {
	case e.sig.Values:
		text = "`inputs` is a list of values."
	case e.sig.Named:
		text = "`inputs` is one row or a list of rows, each a list of values in training order or a record by feature name."
	}
	return text + " NaN and the infinities may come in bare, as Python's json.dumps writes them."
}

// answerName is what the model's default output is called in the native answer.
func (e *entry) answerName() string {
	if name := e.sig.Default().String(); name != "predict" {
		return name
	}
	return "prediction"
}

// nativeResponse has the default output, and all others by their own names if they
// were asked for.
func (e *entry) nativeResponse() schema {
	name, method := e.answerName(), e.sig.Default().String()
	properties := []field{{name, ref(e.component("output_" + method))}}
	for _, o := range e.sig.Outputs {
		if m := o.Method.String(); m != name {
			properties = append(properties, field{m, ref(e.component("output_" + m))})
		}
	}
	return fields(schema{}, required(name), properties...)
}

func (e *entry) nativeExamples() ordered[example] {
	var out ordered[example]
	sample := e.exampleSample(false)
	one := sample
	if e.sig.Values {
		one = []any{sample}
	}
	if e.sig.Named && !e.wide() { // first, for the page shows the first
		out.add("record", example{"a record by feature name", object("inputs", e.exampleSample(true))})
	}
	out.add("one", example{"one row", object("inputs", one)})
	if !e.wide() {
		out.add("rows", example{"two rows", object("inputs", any([]any{sample, sample}))})
	}
	if e.hasOutput("predict_proba") {
		request := object("inputs", one)
		request.add("outputs", []string{"predict_proba"})
		out.add("probabilities", example{"with probabilities", request})
	}
	return out
}

// wide reports whether the model has too many features to spell them out.
func (e *entry) wide() bool { return len(e.sig.Features) > maxProperties }

// exampleSample returns one sample that the model takes.
func (e *entry) exampleSample(byName bool) any {
	switch {
	case e.sig.Values && len(e.sig.Features) > 0:
		return exampleValue(e.sig.Features[0])
	case e.sig.Values:
		return 0
	case e.sig.Width < 0:
		return []any{0, 1}
	case byName:
		return exampleRecord(e.sig.Features)
	}
	return exampleRow(e.sig.Features)
}

func (e *entry) hasOutput(name string) bool {
	for _, o := range e.sig.Outputs {
		if o.Method.String() == name {
			return true
		}
	}
	return false
}

// operation makes the id of an operation unique among models.
func (e *entry) operation(name string) string {
	if e.id == "" {
		return name
	}
	return name + "_" + e.id[:len(e.id)-1]
}

func refTo(name string) *schema {
	s := ref(name)
	return &s
}

// answers are the responses of a prediction, with errors of the native form.
func answers(description string, s *schema) ordered[response] {
	return responses(description, s, refused)
}

func responses(description string, s *schema, refused func(description, text string) response) ordered[response] {
	out := object("200", response{Description: description, Content: object("application/json", mediaType{Schema: s})})
	out.add("400", refused("The request is not what the model takes: the error says what, where and why.", `inputs[3][2]: expected a number, found "abc"`))
	out.add("413", refused("The body has too many bytes or rows.", "the body is larger than 10485760 bytes"))
	out.add("429", refused("The caller is over its rate; Retry-After says when to come again.", "too many calls; slow down"))
	out.add("503", refused("Too many requests are at work, or the model is loading; Retry-After says when to come again.", "the model is being loaded; try again in a moment"))
	return out
}

// refused is a response with an error such as that of the example.
func refused(description, text string) response {
	return refusal(description, "Error", object("error", any(text)))
}

func refusal(description, form string, body ordered[any]) response {
	return response{Description: description, Content: object("application/json", mediaType{
		Schema: refTo(form), Examples: object("error", example{"an error", body})})}
}

package openapi

// invocations is the scoring protocol of MLflow and SageMaker, which knows one model.
func (b *builder) invocations(e *entry) {
	row := ref("Row")
	rows := schema{Type: "array", Items: &row}
	split := fields(schema{}, required("data"),
		field{"columns", schema{Type: "array", Items: &schema{Type: "string"}}}, field{"data", rows})
	properties := []field{{"inputs", rows}, {"instances", rows}, {"dataframe_split", split}}
	examples := object("instances", example{"rows", object("instances", any([]any{e.exampleSample(false)}))})
	if e.sig.Named {
		record := ref("Record")
		properties = append(properties, field{"dataframe_records", schema{Type: "array", Items: &record}})
		if !e.wide() {
			examples.add("records", example{"records", object("dataframe_records", any([]any{e.exampleSample(true)}))})
		}
	}
	b.define("InvocationsRequest", fields(schema{Description: "One of these."}, nil, properties...))
	b.define("InvocationsResponse", fields(schema{}, required("predictions"),
		field{"predictions", ref("output_" + e.sig.Default().String())}))

	content := object("application/json", mediaType{Schema: refTo("InvocationsRequest"), Examples: examples})
	content.add("text/csv", mediaType{Schema: &schema{Type: "string", Description: "Rows, with or without a header."}})
	b.define("InvocationsError", fields(schema{}, required("error_code", "message"),
		field{"error_code", schema{Type: "string"}}, field{"message", schema{Type: "string"}}))
	refused := func(description, text string) response {
		body := object("error_code", any("BAD_REQUEST"))
		body.add("message", text)
		return refusal(description, "InvocationsError", body)
	}
	answers := responses("One prediction a row.", refTo("InvocationsResponse"), refused)
	answers.add("415", refused("A content type that cannot be read.", "content type image/png is not supported"))
	b.post("/invocations", &operation{
		Tags: []string{"mlflow"}, OperationID: "invocations", Summary: "Score",
		RequestBody: &requestBody{Required: true, Content: content}, Responses: answers,
	})
}

package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
)

// tensor writes one input of a V2 request.
func tensor(name, shape, datatype, data string) string {
	return fmt.Sprintf(`{"name":%q,"shape":%s,"datatype":%q,"data":%s}`, name, shape, datatype, data)
}

// infer writes a V2 request of inputs.
func infer(inputs ...string) string { return `{"inputs":[` + strings.Join(inputs, ",") + `]}` }

func TestV2Rows(t *testing.T) {
	runDecode(t, V2{}, map[string]decodeTest{
		"flat":                  {model: numeric(2), body: infer(tensor("input-0", "[2,2]", "FP64", "[1,2,3,4]")), want: `[1.0 2.0; 3.0 4.0]`},
		"nested":                {model: numeric(2), body: infer(tensor("predict", "[2,2]", "FP32", "[[1,2],[3,4]]")), want: `[1.0 2.0; 3.0 4.0]`},
		"one row":               {model: numeric(4), body: infer(tensor("float_input", "[4]", "FP64", "[5.1,3.5,1.4,0.2]")), want: `[5.1 3.5 1.4 0.2]`},
		"data first":            {model: numeric(2), body: `{"inputs":[{"data":[[1,2],[3,4]],"name":"x","datatype":"INT64","shape":[2,2]}]}`, want: `[1.0 2.0; 3.0 4.0]`},
		"one column":            {model: numeric(1), body: infer(tensor("x", "[3]", "FP64", "[1,2,3]")), want: `[1.0; 2.0; 3.0]`},
		"one column as matrix":  {model: numeric(1), body: infer(tensor("x", "[3,1]", "FP64", "[[1],[2],[3]]")), want: `[1.0; 2.0; 3.0]`},
		"samples":               {model: labelEncoder(), body: infer(tensor("x", "[2]", "BYTES", `["a","b"]`)), want: `{"a"; "b"}`},
		"samples as column":     {model: labelEncoder(), body: infer(tensor("x", "[2,1]", "BYTES", `["a","b"]`)), want: `{"a"; "b"}`},
		"any width":             {model: anyWidth(), body: infer(tensor("x", "[1,3]", "FP64", `[1,2,3]`)), want: `[1.0 2.0 3.0]`},
		"rows of cells":         {model: unnamed(), body: infer(tensor("x", "[2,2]", "BYTES", `["a",1,"b",null]`)), want: `{"a" 1.0; "b" nan}`},
		"numbers as cells":      {model: anyCells(), body: infer(tensor("x", "[1,3]", "INT32", `[1,2.0,null]`)), want: `{1 2 None}`},
		"floats as cells":       {model: anyCells(), body: infer(tensor("x", "[1,3]", "FP64", `[1,true,NaN]`)), want: `{1.0 1.0 nan}`},
		"booleans as cells":     {model: anyCells(), body: infer(tensor("x", "[1,4]", "BOOL", `[1,0,true,false]`)), want: `{True False True False}`},
		"large unsigned":        {model: anyCells(), body: infer(tensor("x", "[1,2]", "UINT64", `[9223372036854775808,1e19]`)), want: `{9.223372036854776e+18 1e+19}`},
		"missing":               {model: numeric(2), body: infer(tensor("x", "[1,2]", "FP64", `[NaN,null]`)), want: `[nan nan]`},
		"missing integers":      {model: numeric(2), body: infer(tensor("x", "[1,2]", "INT8", `[NaN,null]`)), want: `[nan nan]`},
		"infinite":              {model: numeric(2), body: infer(tensor("x", "[1,2]", "FP32", `[Infinity,-Infinity]`)), want: `[inf -inf]`},
		"FP32 is rounded":       {model: numeric(1), body: infer(tensor("x", "[1,1]", "FP32", `[0.1]`)), want: `[0.10000000149011612]`},
		"FP16 is rounded":       {model: numeric(3), body: infer(tensor("x", "[1,3]", "FP16", `[0.1,65519,65520]`)), want: `[0.0999755859375 65504.0 inf]`},
		"BF16 is rounded":       {model: numeric(1), body: infer(tensor("x", "[1,1]", "BF16", `[0.1]`)), want: `[0.10009765625]`},
		"booleans":              {model: numeric(2), body: infer(tensor("x", "[1,2]", "BOOL", `[true,0]`)), want: `[1.0 0.0]`},
		"numbers in BYTES":      {model: numeric(2), body: infer(tensor("x", "[1,2]", "BYTES", `[1,2.5]`)), want: `[1.0 2.5]`},
		"null parameters":       {model: numeric(1), body: `{"id":null,"parameters":null,"inputs":[{"name":"x","shape":[1,1],"datatype":"FP64","parameters":null,"data":[1]}],"outputs":null}`, want: `[1.0]`},
		"MLServer's parameters": {model: numeric(1), body: `{"parameters":{"content_type":"np","headers":{"a":"b"}},"inputs":[{"name":"x","shape":[1,1],"datatype":"FP64","parameters":{"content_type":"np"},"data":[1]}]}`, want: `[1.0]`},
		"foreign keys":          {model: numeric(1), body: `{"model_name":"m","inputs":[{"name":"x","shape":[1,1],"datatype":"FP64","data":[1],"contents":{"a":[]}}]}`, want: `[1.0]`},

		"no inputs":            {model: numeric(1), body: `{}`, fails: `inputs: no tensors: send one tensor of rows, or one tensor a column`},
		"empty inputs":         {model: numeric(1), body: `{"inputs":[]}`, fails: `inputs: no tensors: send one tensor of rows, or one tensor a column`},
		"a list":               {model: numeric(1), body: `[]`, fails: `expected an object such as {"inputs":[{"name":"input-0","shape":[1,4],"datatype":"FP64","data":[…]}]}, found a list`},
		"input":                {model: numeric(1), body: `{"input":[]}`, fails: `input: unknown key; did you mean inputs?`},
		"inputs no list":       {model: numeric(1), body: `{"inputs":{}}`, fails: `inputs: expected a list, found an object`},
		"input no object":      {model: numeric(1), body: `{"inputs":[1]}`, fails: `inputs[0]: expected an object, found 1`},
		"inputs twice":         {model: numeric(1), body: `{"inputs":[],"inputs":[]}`, fails: `the key "inputs" is there twice`},
		"data twice":           {model: numeric(1), body: `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP64","data":[1],"data":[1]}]}`, fails: `inputs[0]: the key "data" is there twice`},
		"name no string":       {model: numeric(1), body: `{"inputs":[{"name":1}]}`, fails: `inputs[0].name: expected a string, found 1`},
		"no shape":             {model: numeric(1), body: `{"inputs":[{"name":"x","datatype":"FP64","data":[1]}]}`, fails: `inputs[0]: no shape: the shape of rows is [rows, columns], that of a column [rows]`},
		"no datatype":          {model: numeric(1), body: `{"inputs":[{"name":"x","shape":[1,1],"data":[1]}]}`, fails: `inputs[0]: no datatype: one of BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, BF16, FP32, FP64, BYTES`},
		"no data":              {model: numeric(1), body: `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP64"}]}`, fails: `inputs[0]: no data`},
		"unknown datatype":     {model: numeric(1), body: infer(tensor("x", "[1,1]", "FLOAT", "[1]")), fails: `inputs[0].datatype: unknown datatype "FLOAT": one of BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, BF16, FP32, FP64, BYTES`},
		"shape no list":        {model: numeric(1), body: infer(tensor("x", "1", "FP64", "[1]")), fails: `inputs[0].shape: expected a list of dimensions, found 1`},
		"scalar shape":         {model: numeric(1), body: infer(tensor("x", "[]", "FP64", "[1]")), fails: `inputs[0].shape: no dimensions: the shape of rows is [rows, columns], that of a column [rows]`},
		"negative shape":       {model: numeric(1), body: infer(tensor("x", "[-1,4]", "FP64", "[1]")), fails: `inputs[0].shape[0]: expected a whole number from 0 to 2147483647, found -1`},
		"fractional shape":     {model: numeric(1), body: infer(tensor("x", "[1.5]", "FP64", "[1]")), fails: `inputs[0].shape[0]: expected a whole number from 0 to 2147483647, found 1.5`},
		"string in shape":      {model: numeric(1), body: infer(tensor("x", `["1"]`, "FP64", "[1]")), fails: `inputs[0].shape[0]: expected a whole number, found "1"`},
		"no rows":              {model: numeric(2), body: infer(tensor("x", "[0,2]", "FP64", "[]")), fails: `inputs[0].shape: the shape [0, 2] has no elements: send at least one row`},
		"many dimensions":      {model: numeric(2), body: infer(tensor("x", "[1,1,1,1,1,1,1,1,1]", "FP64", "[1]")), fails: `inputs[0].shape: more than 8 dimensions; rows have two: [rows, columns]`},
		"three dimensions":     {model: numeric(2), body: infer(tensor("x", "[1,1,2]", "FP64", "[1,2]")), fails: `inputs[0].shape: 3 dimensions; rows have two: [rows, columns]`},
		"huge shape":           {model: numeric(2), body: infer(tensor("x", "[2147483647,2147483647,2147483647]", "FP64", "[1,2]")), fails: `inputs[0].shape: more than 1000 values in a request (--max-values)`, status: 413},
		"too many rows":        {model: numeric(2), body: infer(tensor("x", "[101,2]", "FP64", "["+strings.Repeat("1,", 201)+"1]")), fails: `inputs[0].shape: more than 100 rows in a request (--max-rows)`, status: 413},
		"many large tensors":   {model: flowers(), body: infer(tensor("a", "[600]", "FP64", "["+strings.Repeat("1,", 599)+"1]"), tensor("b", "[600]", "FP64", "["+strings.Repeat("1,", 599)+"1]")), fails: `inputs[1].data: more than 1000 values in a request (--max-values)`, status: 413},
		"wrong width":          {model: numeric(4), body: infer(tensor("x", "[1,2]", "FP64", "[1,2]")), fails: `inputs[0].shape: got 2 values, expected 4`},
		"one row, wrong width": {model: flowers(), body: infer(tensor("x", "[3]", "FP64", "[1,2,3]")), fails: `inputs[0].shape: got 3 values, expected 4 (sepal length (cm), sepal width (cm), petal_length, petal_width)`},
		"too little data":      {model: numeric(2), body: infer(tensor("x", "[2,2]", "FP64", "[1,2,3]")), fails: `inputs[0].data: 3 elements, but the shape [2, 2] has 4`},
		"too much data":        {model: numeric(2), body: infer(tensor("x", "[1,2]", "FP64", "[1,2,3]")), fails: `inputs[0].data: 3 elements, but the shape [1, 2] has 2`},
		"no elements":          {model: numeric(2), body: infer(tensor("x", "[1,2]", "FP64", "[]")), fails: `inputs[0].data: 0 elements, but the shape [1, 2] has 2`},
		"ragged":               {model: numeric(2), body: infer(tensor("x", "[2,2]", "FP64", "[[1],[2,3,4]]")), fails: `inputs[0].data[0]: the shape [2, 2] has 2 here (dimension 1); got 1`},
		"ragged, too long":     {model: numeric(2), body: infer(tensor("x", "[2,2]", "FP64", "[[1,2],[2,3,4]]")), fails: `inputs[0].data[1]: the shape [2, 2] has 2 here (dimension 1); got more`},
		"too few rows":         {model: numeric(2), body: infer(tensor("x", "[2,2]", "FP64", "[[1,2]]")), fails: `inputs[0].data: the shape [2, 2] has 2 here (dimension 0); got 1`},
		"more rows":            {model: numeric(2), body: infer(tensor("x", "[1,2]", "FP64", "[[1,2],[3,4]]")), fails: `inputs[0].data: the shape [1, 2] has 1 here (dimension 0); got more`},
		"flat among nested":    {model: numeric(2), body: infer(tensor("x", "[2,2]", "FP64", "[[1,2],3]")), fails: `inputs[0].data[1]: expected a list, found 3`},
		"nested among flat":    {model: numeric(2), body: infer(tensor("x", "[2,2]", "FP64", "[1,[2]]")), fails: `inputs[0].data[1]: expected a number, found a list`},
		"nested too deep":      {model: numeric(2), body: infer(tensor("x", "[2,2]", "FP64", "[[[1,2]]]")), fails: `inputs[0].data[0][0]: expected a number, found a list`},
		"nested deeper":        {model: numeric(1), body: infer(tensor("x", "[2]", "FP64", "[[1],[2]]")), fails: `inputs[0].data[0]: expected a number, found a list`},
		"data no list":         {model: numeric(2), body: infer(tensor("x", "[2,2]", "FP64", "7")), fails: `inputs[0].data: expected a list of elements, found 7`},
		"data no list, first":  {model: numeric(2), body: `{"inputs":[{"data":7,"shape":[1,2],"datatype":"FP64"}]}`, fails: `inputs[0].data: expected a list of elements, found 7`},
		"string":               {model: numeric(2), body: infer(tensor("x", "[2,2]", "FP64", `[[1,2],[3,"abc"]]`)), fails: `inputs[0].data[1][1]: expected a number, found "abc"`},
		"string, flat":         {model: numeric(2), body: infer(tensor("x", "[2,2]", "FP64", `[1,2,3,"abc"]`)), fails: `inputs[0].data[3]: expected a number, found "abc"`},
		"strings for numbers":  {model: numeric(2), body: infer(tensor("x", "[1,2]", "BYTES", `["1","2"]`)), fails: `inputs[0].data[0]: expected a number, found "1"`},
		"strings, nested":      {model: unnamed(), body: infer(tensor("x", "[2,2]", "BYTES", `[["a",1],["b","c"]]`)), fails: `inputs[0].data[1][1]: expected a number, found "c"`},
		"string in FP64 cells": {model: unnamed(), body: infer(tensor("x", "[1,2]", "FP64", `["a",1]`)), fails: `inputs[0].data[0]: expected an element of FP64, found "a"`},
		"out of range":         {model: numeric(1), body: infer(tensor("x", "[1,1]", "FP64", `[1e999]`)), fails: `inputs[0].data[0]: the number 1e999 is out of range`},
		"INT8 too large":       {model: numeric(1), body: infer(tensor("x", "[2,1]", "INT8", `[127,128]`)), fails: `inputs[0].data[1]: 128 is no INT8`},
		"UINT8 negative":       {model: numeric(1), body: infer(tensor("x", "[1,1]", "UINT8", `[[-1]]`)), fails: `inputs[0].data[0][0]: -1 is no UINT8`},
		"INT64 fraction":       {model: anyCells(), body: infer(tensor("x", "[1,1]", "INT64", `[1.5]`)), fails: `inputs[0].data[0]: 1.5 is no INT64`},
		"BOOL two":             {model: numeric(1), body: infer(tensor("x", "[1,1]", "BOOL", `[2]`)), fails: `inputs[0].data[0]: 2 is no BOOL`},
		"truncated":            {model: numeric(1), body: `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP64","data":[1`, fails: `inputs[0].data[1]: the JSON ends at byte 64, where ',' or ']' was expected`},
		"trailing garbage":     {model: numeric(1), body: infer(tensor("x", "[1,1]", "FP64", `[1]`)) + "x", fails: `malformed JSON at byte 68: 'x' after the end of the body's object`},
		"deep parameters":      {model: numeric(1), body: `{"parameters":{"x":` + strings.Repeat("[", 99), fails: `parameters.x: nested more than 32 deep at byte 51 (--max-json-depth)`},
		"shared memory":        {model: numeric(1), body: `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP64","parameters":{"shared_memory_region":"r"}}]}`, fails: `inputs[0].parameters.shared_memory_region: shared memory is not served: send the data in the body`},
		"base64":               {model: numeric(1), body: `{"inputs":[{"name":"x","shape":[1,1],"datatype":"BYTES","parameters":{"content_type":"base64"},"data":["YQ=="]}]}`, fails: `inputs[0].parameters.content_type: the content type "base64" is not served: send numbers or strings as they are`},
		"id no string":         {model: numeric(1), body: `{"id":7,"inputs":[]}`, fails: `id: expected a string, found 7`},
	})
}

func TestV2Columns(t *testing.T) {
	age, city, grade := tensor("age", "[2]", "INT64", "[30,3]"), tensor("city", "[2]", "BYTES", `["Oslo",null]`), tensor("grade", "[2,1]", "BYTES", `["B",1]`)
	runDecode(t, V2{}, map[string]decodeTest{
		"by name":         {model: people(), body: infer(city, grade, age), want: `{30.0 "Oslo" "B" None; 3.0 None 1 None}`},
		"pd":              {model: people(), body: `{"parameters":{"content_type":"pd"},"inputs":[` + city + `,` + grade + `,` + age + `]}`, want: `{30.0 "Oslo" "B" None; 3.0 None 1 None}`},
		"extra ignored":   {model: ignoring(), body: infer(tensor("id", "[5]", "INT64", "[1,2,3,4,5]"), age, city, grade), want: `{30.0 "Oslo" "B" None; 3.0 None 1 None}`},
		"named, numeric":  {model: flowers(), body: infer(tensor("petal_width", "[2]", "FP64", "[4,8]"), tensor("sepal length (cm)", "[2]", "FP64", "[1,5]"), tensor("sepal width (cm)", "[2]", "FP64", "[2,6]"), tensor("petal_length", "[2]", "INT32", "[3,7]")), want: `[1.0 2.0 3.0 4.0; 5.0 6.0 7.0 8.0]`},
		"by number":       {model: unnamed(), body: infer(tensor("input-1", "[1]", "FP64", "[1]"), tensor("input-0", "[1]", "BYTES", `["a"]`)), want: `{"a" 1.0}`},
		"by order":        {model: unnamed(), body: infer(tensor("a", "[1]", "BYTES", `["a"]`), tensor("b", "[1]", "FP64", "[1]")), want: `{"a" 1.0}`},
		"numeric, order":  {model: numeric(2), body: infer(tensor("a", "[2]", "FP64", `[1,2]`), tensor("b", "[2,1]", "FP64", "[3,4]")), want: `[1.0 3.0; 2.0 4.0]`},
		"any, order":      {model: anyWidth(), body: infer(tensor("a", "[2]", "FP64", `[1,2]`), tensor("b", "[2]", "FP64", "[3,4]")), want: `[1.0 3.0; 2.0 4.0]`},
		"rows of objects": {model: people(), body: infer(tensor("x", "[1,4]", "BYTES", `[30,"Oslo","B",null]`)), want: `{30.0 "Oslo" "B" None}`},

		"missing":            {model: people(), body: infer(city, grade), fails: `inputs: missing: age`},
		"only one":           {model: people(), body: infer(city), fails: `inputs: missing: age, grade`},
		"misspelt":           {model: people(), body: infer(city, grade, tensor("aeg", "[2]", "INT64", "[30,3]")), fails: `inputs[2].name: the model has no column "aeg"; did you mean age? (missing: age)`},
		"extra":              {model: people(), body: infer(city, grade, tensor("colour", "[2]", "INT64", "[30,3]"), age), fails: `inputs[2].name: the model has no column "colour"`},
		"twice":              {model: people(), body: infer(city, grade, age, city), fails: `inputs[3].name: the column "city" is there twice`},
		"number twice":       {model: unnamed(), body: infer(tensor("input-1", "[1]", "FP64", "[1]"), tensor("input-1", "[1]", "FP64", "[1]")), fails: `inputs[1].name: "input-1" is there twice`},
		"wrong number":       {model: numeric(3), body: infer(tensor("a", "[2]", "FP64", `[1,2]`), tensor("b", "[2]", "FP64", "[3,4]")), fails: `inputs: 2 tensors; expected one tensor of rows, or 3 of a column each`},
		"different lengths":  {model: people(), body: infer(tensor("age", "[3]", "FP64", `[1,2,3]`), city, grade), fails: `inputs[1].shape: 2 rows, but inputs[0] has 3`},
		"not a column":       {model: people(), body: infer(tensor("age", "[2,2]", "FP64", `[1,2,3,4]`), city, grade), fails: `inputs[0].shape: the shape [2, 2] is not that of a column: [rows] or [rows, 1]`},
		"text for a number":  {model: people(), body: infer(tensor("age", "[2]", "BYTES", `["1","b"]`), city, grade), fails: `inputs[0].data[0]: expected a number, found "1"`},
		"data does not fit":  {model: people(), body: infer(city, grade, tensor("age", "[2]", "FP64", `[1]`)), fails: `inputs[2].data: 1 element, but the shape [2] has 2`},
		"too many rows":      {model: people(), body: infer(tensor("age", "[101]", "FP64", "["+strings.Repeat("1,", 100)+"1]"), tensor("city", "[101]", "FP64", "["+strings.Repeat("1,", 100)+"1]"), tensor("grade", "[101]", "FP64", "["+strings.Repeat("1,", 100)+"1]")), fails: `inputs: more than 100 rows in a request (--max-rows)`, status: 413},
		"cells by the model": {model: numeric(50), body: infer(manyColumns(50, 21)), fails: `inputs[47].data: more than 1000 values in a request (--max-values)`, status: 413},
	})
}

func manyColumns(n, rows int) string {
	var inputs []string
	for i := range n {
		inputs = append(inputs, tensor(fmt.Sprint("c", i), fmt.Sprintf("[%d]", rows), "FP64", "["+strings.Repeat("1,", rows-1)+"1]"))
	}
	return strings.Join(inputs, ",")
}

// rawTensor is an input whose elements follow the JSON.
type rawTensor struct {
	name, shape, datatype string
	data                  []byte
}

// inferRaw writes a V2 request with binary tensors.
func inferRaw(inputs ...rawTensor) (Header, string) {
	var list []string
	var blob []byte
	for _, in := range inputs {
		list = append(list, fmt.Sprintf(`{"name":%q,"shape":%s,"datatype":%q,"parameters":{"binary_data_size":%d}}`, in.name, in.shape, in.datatype, len(in.data)))
		blob = append(blob, in.data...)
	}
	body := infer(list...)
	return Header{JSONLength: len(body)}, body + string(blob)
}

// le writes numbers in little-endian order.
func le(values ...any) []byte {
	var b []byte
	for _, v := range values {
		b, _ = binary.Append(b, binary.LittleEndian, v)
	}
	return b
}

// texts writes BYTES.
func texts(values ...string) []byte {
	var b []byte
	for _, v := range values {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(v))), v...)
	}
	return b
}

func TestV2Binary(t *testing.T) {
	tests := map[string]decodeTest{}
	add := func(name string, test decodeTest, inputs ...rawTensor) {
		test.header, test.body = inferRaw(inputs...)
		tests[name] = test
	}
	for datatype, c := range map[string]struct {
		data    []byte
		numbers string // as numbers, in a model of numbers
		cells   string // as cells
	}{
		"BOOL":   {[]byte{0, 1, 2}, `0.0 1.0 1.0`, `False True True`},
		"UINT8":  {le(uint8(0), uint8(7), uint8(255)), `0.0 7.0 255.0`, `0 7 255`},
		"UINT16": {le(uint16(0), uint16(7), uint16(65535)), `0.0 7.0 65535.0`, `0 7 65535`},
		"UINT32": {le(uint32(0), uint32(7), uint32(math.MaxUint32)), `0.0 7.0 4294967295.0`, `0 7 4294967295`},
		"UINT64": {le(uint64(0), uint64(7), uint64(1<<63)), `0.0 7.0 9.223372036854776e+18`, `0 7 9.223372036854776e+18`},
		"INT8":   {le(int8(0), int8(-7), int8(127)), `0.0 -7.0 127.0`, `0 -7 127`},
		"INT16":  {le(int16(0), int16(-7), int16(32767)), `0.0 -7.0 32767.0`, `0 -7 32767`},
		"INT32":  {le(int32(0), int32(-7), int32(math.MaxInt32)), `0.0 -7.0 2147483647.0`, `0 -7 2147483647`},
		"INT64":  {le(int64(0), int64(-7), int64(1<<53+1)), `0.0 -7.0 9007199254740992.0`, `0 -7 9007199254740993`},
		"FP16":   {le(uint16(0x3c00), uint16(0xfc00), uint16(0x0001)), `1.0 -inf 5.960464477539063e-08`, `1.0 -inf 5.960464477539063e-08`},
		"BF16":   {le(uint16(0x3f80), uint16(0x7fc0), uint16(0xc000)), `1.0 nan -2.0`, `1.0 nan -2.0`},
		"FP32":   {le(float32(0.1), float32(-2), float32(math.Inf(1))), `0.10000000149011612 -2.0 inf`, `0.10000000149011612 -2.0 inf`},
		"FP64":   {le(0.1, -2.0, math.NaN()), `0.1 -2.0 nan`, `0.1 -2.0 nan`},
	} {
		add("rows of "+datatype, decodeTest{model: numeric(3), want: "[" + c.numbers + "]"}, rawTensor{"x", "[1,3]", datatype, c.data})
		add("cells of "+datatype, decodeTest{model: anyCells(), want: "{" + c.cells + "}"}, rawTensor{"x", "[1,3]", datatype, c.data})
		add("columns of "+datatype, decodeTest{model: flowers(), want: "[" + strings.Join(interleave(c.numbers), "; ") + "]"},
			rawTensor{"petal_width", "[3]", datatype, c.data}, rawTensor{"petal_length", "[3]", datatype, c.data},
			rawTensor{"sepal width (cm)", "[3]", datatype, c.data}, rawTensor{"sepal length (cm)", "[3,1]", datatype, c.data})
	}
	add("BYTES", decodeTest{model: labelEncoder(), want: `{"a"; ""; "é"}`}, rawTensor{"x", "[3]", "BYTES", texts("a", "", "é")})
	add("mixed columns", decodeTest{model: people(), want: `{30.0 "Oslo" 1 None; nan "Rome" 2 None}`},
		rawTensor{"city", "[2]", "BYTES", texts("Oslo", "Rome")}, rawTensor{"age", "[2]", "FP64", le(30.0, math.NaN())}, rawTensor{"grade", "[2,1]", "INT8", le(int8(1), int8(2))})

	add("too short", decodeTest{model: numeric(2), fails: `inputs[0].data: 8 bytes of data, but 2 FP64 by the shape are 16`}, rawTensor{"x", "[1,2]", "FP64", le(1.0)})
	add("too long", decodeTest{model: numeric(2), fails: `inputs[0].data: 24 bytes of data, but 2 FP64 by the shape are 16`}, rawTensor{"x", "[1,2]", "FP64", le(1.0, 2.0, 3.0)})
	add("no bytes", decodeTest{model: numeric(2), fails: `inputs[0].data: 0 bytes of data, but 2 FP64 by the shape are 16`}, rawTensor{"x", "[1,2]", "FP64", nil})
	add("BYTES, no length", decodeTest{model: labelEncoder(), fails: `inputs[0].data: 5 bytes of data, too few for 2 BYTES by the shape`}, rawTensor{"x", "[2]", "BYTES", texts("a")})
	add("BYTES, cut length", decodeTest{model: labelEncoder(), fails: `inputs[0].data: the data ends before element 1 of 2`}, rawTensor{"x", "[2]", "BYTES", append(texts("abcd"), 1)})
	add("BYTES, false length", decodeTest{model: labelEncoder(), fails: `inputs[0].data: element 0 says that it has 4294967295 bytes, but 1 are left`}, rawTensor{"x", "[1]", "BYTES", []byte{255, 255, 255, 255, 1}})
	add("BYTES, left over", decodeTest{model: labelEncoder(), fails: `inputs[0].data: 5 bytes of data left over after 1 element`}, rawTensor{"x", "[1]", "BYTES", texts("a", "b")})
	add("BYTES for numbers", decodeTest{model: numeric(2), fails: `inputs[0].data[0]: expected a number, found "1"`}, rawTensor{"x", "[1,2]", "BYTES", texts("1", "2")})
	add("huge shape", decodeTest{model: labelEncoder(), fails: `inputs[0].shape: more than 1000 values in a request (--max-values)`, status: 413}, rawTensor{"x", "[2000000000]", "BYTES", texts("1", "2")})

	header, body := inferRaw(rawTensor{"x", "[1,1]", "FP64", le(1.0)})
	tests["without the header"] = decodeTest{model: numeric(1), body: body[:header.JSONLength], fails: `inputs[0].parameters.binary_data_size: the header Inference-Header-Content-Length must say how long the JSON is`}
	tests["header too long"] = decodeTest{model: numeric(1), header: Header{JSONLength: len(body) + 1}, body: body, fails: fmt.Sprintf(`Inference-Header-Content-Length is %d, but the body has %d bytes`, len(body)+1, len(body))}
	tests["negative header"] = decodeTest{model: numeric(1), header: Header{JSONLength: -1}, body: body, fails: fmt.Sprintf(`Inference-Header-Content-Length is -1, but the body has %d bytes`, len(body))}
	tests["header too short"] = decodeTest{model: numeric(1), header: Header{JSONLength: 10}, body: body, fails: `inputs: the JSON ends at byte 10, where a list was expected`}
	tests["truncated"] = decodeTest{model: numeric(1), header: header, body: body[:len(body)-1], fails: `inputs[0].parameters.binary_data_size: 8 bytes, but the body has 7 left`}
	tests["bytes left"] = decodeTest{model: numeric(1), header: header, body: body + "x", fails: `1 byte of the body left over after the inputs: see parameters.binary_data_size`}
	both := `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP64","parameters":{"binary_data_size":8},"data":[1]}]}`
	tests["data twice"] = decodeTest{model: numeric(1), header: Header{JSONLength: len(both)}, body: both + string(le(1.0)), fails: `inputs[0]: both data and parameters.binary_data_size: send one of them`}
	negative := `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP64","parameters":{"binary_data_size":-8}}]}`
	tests["negative size"] = decodeTest{model: numeric(1), header: Header{JSONLength: len(negative)}, body: negative, fails: `inputs[0].parameters.binary_data_size: expected a whole number from 0 to 2147483647, found -8`}
	mixed := `{"inputs":[{"name":"age","shape":[1],"datatype":"FP64","data":[30]},{"name":"city","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":8}},{"name":"grade","shape":[1],"datatype":"BYTES","data":["B"]}]}`
	tests["JSON and binary"] = decodeTest{model: people(), header: Header{JSONLength: len(mixed)}, body: mixed + string(texts("Oslo")), want: `{30.0 "Oslo" "B" None}`}
	runDecode(t, V2{}, tests)
}

// interleave returns rows that have one number four times.
func interleave(numbers string) []string {
	var rows []string
	for _, n := range strings.Fields(numbers) {
		rows = append(rows, strings.Join([]string{n, n, n, n}, " "))
	}
	return rows
}

package wire

import (
	"maps"
	"strings"
	"testing"
)

var jsonHeader = Header{ContentType: "application/json"}

func runInvocations(t *testing.T, header Header, tests map[string]decodeTest) {
	t.Helper()
	for name, test := range maps.Clone(tests) {
		if test.header == (Header{}) {
			test.header = header
		}
		tests[name] = test
	}
	runDecode(t, Invocations{}, tests)
}

func TestInvocationsJSON(t *testing.T) {
	split := Header{ContentType: "application/json; format=pandas-split"}
	runInvocations(t, jsonHeader, map[string]decodeTest{
		"inputs":                    {model: numeric(2), body: `{"inputs":[[1,2],[3,4]]}`, want: `[1.0 2.0; 3.0 4.0]`},
		"inputs by column":          {model: flowers(), body: `{"inputs":{"petal_width":[4,8],"sepal length (cm)":[1,5],"sepal width (cm)":[2,6],"petal_length":[3,7]}}`, want: `[1.0 2.0 3.0 4.0; 5.0 6.0 7.0 8.0]`},
		"inputs, one record":        {model: people(), body: `{"inputs":{"age":1,"city":"a","grade":2}}`, want: `{1.0 "a" 2 None}`},
		"inputs, records":           {model: people(), body: `{"inputs":[{"age":1,"city":"a","grade":2}]}`, want: `{1.0 "a" 2 None}`},
		"instances":                 {model: numeric(2), body: `{"instances":[[1,2]],"params":{"a":[1]}}`, want: `[1.0 2.0]`},
		"dataframe_records":         {model: people(), body: `{"dataframe_records":[{"age":1,"city":"a","grade":2}]}`, want: `{1.0 "a" 2 None}`},
		"records, no names":         {model: numeric(2), body: `{"dataframe_records":[{"x":1,"y":2},{"y":4,"x":3}]}`, want: `[1.0 2.0; 3.0 4.0]`},
		"dataframe_split":           {model: flowers(), body: `{"dataframe_split":{"columns":["petal_width","sepal length (cm)","sepal width (cm)","petal_length"],"index":[0,1],"data":[[4,1,2,3],[8,5,6,7]]}}`, want: `[1.0 2.0 3.0 4.0; 5.0 6.0 7.0 8.0]`},
		"split, data first":         {model: people(), body: `{"dataframe_split":{"data":[["Oslo",30,"n",1]],"columns":["city","age","note","grade"]}}`, want: `{30.0 "Oslo" 1 "n"}`},
		"split without unused":      {model: people(), body: `{"dataframe_split":{"data":[["Oslo",30,1]],"columns":["city","age","grade"]}}`, want: `{30.0 "Oslo" 1 None}`},
		"split, ignored column":     {model: ignoring(), body: `{"dataframe_split":{"data":[["Oslo",[1],30,1]],"columns":["city","id","age","grade"]}}`, want: `{30.0 "Oslo" 1 None}`},
		"split without columns":     {model: flowers(), body: `{"dataframe_split":{"data":[[1,2,3,4]]}}`, want: `[1.0 2.0 3.0 4.0]`},
		"split, numbered columns":   {model: flowers(), body: `{"dataframe_split":{"columns":[0,1,2,3],"data":[[1,2,3,4]]}}`, want: `[1.0 2.0 3.0 4.0]`},
		"split, no names":           {model: numeric(2), body: `{"dataframe_split":{"columns":["a","b"],"data":[[1,2]]}}`, want: `[1.0 2.0]`},
		"split, any width":          {model: anyWidth(), body: `{"dataframe_split":{"columns":["a","b"],"data":[[1,2],[3,4]]}}`, want: `[1.0 2.0; 3.0 4.0]`},
		"with a charset":            {model: numeric(2), header: Header{ContentType: "application/json; charset=utf-8"}, body: `{"inputs":[[1,2]]}`, want: `[1.0 2.0]`},
		"MLflow 1, split":           {model: numeric(2), header: split, body: `{"columns":["a","b"],"data":[[1,2]]}`, want: `[1.0 2.0]`},
		"MLflow 1, records":         {model: people(), header: Header{ContentType: "application/json; format=pandas-records"}, body: `[{"age":1,"city":"a","grade":2}]`, want: `{1.0 "a" 2 None}`},
		"nothing":                   {model: numeric(2), body: `{}`, fails: `no rows: send {"dataframe_split":{"columns":[…],"data":[…]}}, {"dataframe_records":[…]}, {"inputs":…} or {"instances":[…]}`},
		"a list":                    {model: numeric(2), body: `[[1,2]]`, fails: `expected an object; send {"dataframe_split":{"columns":[…],"data":[…]}}, {"dataframe_records":[…]}, {"inputs":…} or {"instances":[…]}, found a list`},
		"misspelt":                  {model: numeric(2), body: `{"dataframe_splits":{}}`, fails: `dataframe_splits: unknown key; did you mean dataframe_split?`},
		"two forms":                 {model: numeric(2), body: `{"inputs":[[1,2]],"instances":[[1,2]]}`, fails: `both inputs and instances: send one of them`},
		"twice":                     {model: numeric(2), body: `{"inputs":[[1,2]],"inputs":[[1,2]]}`, fails: `the key "inputs" is there twice`},
		"trailing garbage":          {model: numeric(2), body: `{"inputs":[[1,2]]} x`, fails: `malformed JSON at byte 19: 'x' after the end of the body's object`},
		"split, trailing garbage":   {model: numeric(2), header: split, body: `{"columns":["a","b"],"data":[[1,2]]} x`, fails: `malformed JSON at byte 37: 'x' after the end of the body's object`},
		"split, no data":            {model: numeric(2), body: `{"dataframe_split":{"columns":["a","b"]}}`, fails: `dataframe_split: no "data": send {"columns":[…],"data":[[…]]}`},
		"split, empty":              {model: numeric(2), body: `{"dataframe_split":{"columns":["a","b"],"data":[]}}`, fails: `dataframe_split.data: no rows: send at least one`},
		"split, no object":          {model: numeric(2), body: `{"dataframe_split":[1]}`, fails: `dataframe_split: expected an object such as {"columns":[…],"data":[[…]]}, found a list`},
		"split, data no list":       {model: numeric(2), body: `{"dataframe_split":{"data":{}}}`, fails: `dataframe_split.data: expected a list of rows, found an object`},
		"split, row no list":        {model: numeric(2), body: `{"dataframe_split":{"columns":["a","b"],"data":[1]}}`, fails: `dataframe_split.data[0]: expected a row (a list), found 1`},
		"split, ragged":             {model: flowers(), body: `{"dataframe_split":{"columns":["petal_width","sepal length (cm)","sepal width (cm)","petal_length"],"data":[[4,1,2]]}}`, fails: `dataframe_split.data[0]: got 3 values, but there are 4 columns`},
		"split, too wide":           {model: numeric(2), body: `{"dataframe_split":{"columns":["a","b"],"data":[[1,2,3]]}}`, fails: `dataframe_split.data[0]: got 3 values, but there are 2 columns`},
		"split, wrong columns":      {model: numeric(2), body: `{"dataframe_split":{"columns":["a"],"data":[[1]]}}`, fails: `dataframe_split.columns: 1 column, expected 2`},
		"split, unknown column":     {model: flowers(), body: `{"dataframe_split":{"columns":["petal_widht","sepal length (cm)","sepal width (cm)","petal_length"],"data":[[4,1,2,3]]}}`, fails: `dataframe_split.columns: the model has no feature "petal_widht"; did you mean petal_width? (missing: petal_width)`},
		"split, column no name":     {model: flowers(), body: `{"dataframe_split":{"columns":[null],"data":[[4]]}}`, fails: `dataframe_split.columns[0]: expected the name of a column, found null`},
		"split, columns no list":    {model: flowers(), body: `{"dataframe_split":{"columns":"a","data":[[4]]}}`, fails: `dataframe_split.columns: expected a list of names, found "a"`},
		"split, string, as it came": {model: people(), body: `{"dataframe_split":{"data":[["Oslo","old",1]],"columns":["city","age","grade"]}}`, fails: `dataframe_split.data[0][1]: expected a number, found "old"`},
		"split, key twice":          {model: people(), body: `{"dataframe_split":{"data":[],"data":[]}}`, fails: `dataframe_split: the key "data" is there twice`},
		"records, string":           {model: people(), body: `{"dataframe_records":[{"age":"x"}]}`, fails: `dataframe_records[0].age: expected a number, found "x"`},

		"no content type":     {model: numeric(2), header: Header{JSONLength: -1}, body: `{"inputs":[[1,2]]}`, fails: `the Content-Type "" cannot be read: send application/json or text/csv`, status: 415},
		"form":                {model: numeric(2), header: Header{ContentType: "application/x-www-form-urlencoded"}, body: `{"inputs":[[1,2]]}`, fails: `the Content-Type "application/x-www-form-urlencoded" cannot be read: send application/json or text/csv`, status: 415},
		"broken content type": {model: numeric(2), header: Header{ContentType: "application/json; charset"}, body: `{"inputs":[[1,2]]}`, fails: `the Content-Type "application/json; charset" cannot be read: send application/json or text/csv`, status: 415},
	})
}

func TestInvocationsCSV(t *testing.T) {
	runInvocations(t, Header{ContentType: "text/csv; charset=utf-8"}, map[string]decodeTest{
		"no header":            {model: numeric(4), body: "5.1,3.5,1.4,0.2\n1,2,3,4\n", want: `[5.1 3.5 1.4 0.2; 1.0 2.0 3.0 4.0]`},
		"no final newline":     {model: numeric(2), body: "1,2", want: `[1.0 2.0]`},
		"carriage returns":     {model: numeric(2), body: "1,2\r\n3,4\r\n", want: `[1.0 2.0; 3.0 4.0]`},
		"spaces":               {model: numeric(2), body: " 1, 2 \n", want: `[1.0 2.0]`},
		"header":               {model: flowers(), body: "petal_width,sepal length (cm),sepal width (cm),petal_length\n4,1,2,3\n", want: `[1.0 2.0 3.0 4.0]`},
		"named, no header":     {model: flowers(), body: "1,2,3,4\n", want: `[1.0 2.0 3.0 4.0]`},
		"header, no names":     {model: numeric(2), body: "a,b\n1,2\n", want: `[1.0 2.0]`},
		"byte-order mark":      {model: flowers(), body: "\ufeffpetal_width,sepal length (cm),sepal width (cm),petal_length\n4,1,2,3\n", want: `[1.0 2.0 3.0 4.0]`},
		"quoted":               {model: people(), body: "age,city,grade\n30,\"Oslo, \"\"N\"\"\nNorway\",B\n", want: `{30.0 "Oslo, \"N\"\nNorway" "B" None}`},
		"mixed, no header":     {model: people(), body: "30,Oslo,B,n\n", want: `{30.0 "Oslo" "B" "n"}`},
		"only text, no header": {model: labelEncoder(), body: "a\nb\n", want: `{"a"; "b"}`},
		"missing":              {model: people(), body: "age,city,grade\n,,\nNA,nan,null\n", want: `{nan nan nan None; nan nan nan None}`},
		"integers":             {model: people(), body: "age,city,grade\n1,2,3\n1,2,4\n", want: `{1.0 "2" 3 None; 1.0 "2" 4 None}`},
		"floats":               {model: people(), body: "age,city,grade\n1,2,3\n1,2,4.5\n", want: `{1.0 "2" 3.0 None; 1.0 "2" 4.5 None}`},
		"booleans":             {model: people(), body: "age,city,grade\nTrue,2,True\nfalse,2,False\n", want: `{1.0 "2" True None; 0.0 "2" False None}`},
		"strings":              {model: people(), body: "age,city,grade\n1,2,3\n1,2,B\n", want: `{1.0 "2" "3" None; 1.0 "2" "B" None}`},
		"infinite":             {model: numeric(2), body: "inf,-Infinity\n", want: `[inf -inf]`},
		"ignored column":       {model: ignoring(), body: "id,age,city,grade\n7,30,Oslo,2\n", want: `{30.0 "Oslo" 2 None}`},
		"header, missing name": {model: numeric(2), body: "a,\n1,2\n", want: `[1.0 2.0]`},
		"header of numbers":    {model: numeric(2), header: Header{ContentType: "text/csv; header=present"}, body: "0,1\n3,4\n", want: `[3.0 4.0]`},
		"no header, declared":  {model: labelEncoder(), header: Header{ContentType: "text/csv; header=absent"}, body: "a\nb\n", want: `{"a"; "b"}`},
		"any width":            {model: anyWidth(), body: "1,2,3\n4,5,6\n", want: `[1.0 2.0 3.0; 4.0 5.0 6.0]`},

		"empty":             {model: numeric(2), body: "", fails: `no rows: send at least one`},
		"only a header":     {model: flowers(), body: "petal_width,sepal length (cm),sepal width (cm),petal_length\n", fails: `no rows behind the header: send at least one`},
		"text for a number": {model: flowers(), body: "1,2,3,4\n1,2,x,4\n", fails: `record 2, column "petal_length": expected a number, found "x"`},
		"after a header":    {model: people(), body: "city,age,grade\nOslo,old,B\n", fails: `record 1, column "age": expected a number, found "old"`},
		"in the first row":  {model: numeric(3), body: "1,x,3\n1,2,3\n", fails: `record 1, column 1: expected a number, found "x"`},
		"too narrow":        {model: numeric(2), body: "1\n", fails: `record 1: got 1 value, expected 2`},
		"ragged":            {model: numeric(2), body: "1,2\n1,2,3\n", fails: `record 2: got 3 fields, expected 2`},
		"unknown column":    {model: people(), body: "age,city,grad\n1,a,b\n", fails: `header: the model has no feature "grad"; did you mean grade? (missing: grade)`},
		"wrong header":      {model: numeric(2), body: "a,b,c\n1,2,3\n", fails: `header: 3 columns, expected 2`},
		"broken quote":      {model: people(), body: "age,city,grade\n30,\"Oslo,B\n", fails: "malformed CSV: parse error on line 2, column 12: extraneous or missing \" in quoted-field"},
		"hexadecimal":       {model: numeric(2), body: "1,2\n0x10,1\n", fails: `record 2, column 0: expected a number, found "0x10"`},
		"out of range":      {model: numeric(2), body: "1,2\n1e999,1\n", fails: `record 2, column 0: expected a number, found "1e999"`},
		"too many rows":     {model: numeric(1), body: strings.Repeat("1\n", 101), fails: `more than 100 rows in a request (--max-rows)`, status: 413},
	})
}

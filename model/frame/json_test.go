package frame

import (
	"encoding/json"
	"math"
	"testing"
)

func TestValueMarshalJSON(t *testing.T) {
	tests := map[string]struct {
		value Value
		want  string
	}{
		"none":              {None(), `null`},
		"true":              {Bool(true), `true`},
		"integer":           {Int(-7), `-7`},
		"float keeps its 0": {Float(2), `2.0`},
		"small float":       {Float(1e-7), `1e-07`},
		"NaN":               {Float(math.NaN()), `null`},
		"infinity":          {Float(math.Inf(1)), `"Infinity"`},
		"minus infinity":    {Float(math.Inf(-1)), `"-Infinity"`},
		"string":            {String("a\"\n"), `"a\"\n"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := test.value.MarshalJSON()
			if err != nil || string(got) != test.want {
				t.Fatalf("MarshalJSON() = %s, %v; want %s", got, err, test.want)
			}
			if !json.Valid(got) {
				t.Errorf("%s is not JSON", got)
			}
		})
	}
}

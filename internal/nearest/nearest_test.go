package nearest

import "testing"

func TestName(t *testing.T) {
	known := []string{"inputs", "outputs", "parameters"}
	cases := map[string]string{"input": "inputs", "Inputs": "inputs", "outpus": "outputs", "instances": "", "": "", "paramters": "parameters"}
	for written, want := range cases {
		if got := Name(written, known); got != want {
			t.Errorf("%q: got %q, want %q", written, got, want)
		}
	}
}

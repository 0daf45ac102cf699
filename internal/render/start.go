package render

// newRenderer checks the input and works out what all parts share.
func newRenderer(in Input) (*renderer, error) {
	r := &renderer{Input: in, spec: &in.Model.Spec, profile: &profile{}}
	return r, nil
}

package render

func (r *renderer) exposure() {}

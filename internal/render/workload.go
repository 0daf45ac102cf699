package render

func (r *renderer) workload() {}

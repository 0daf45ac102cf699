package render

func (r *renderer) isolation() {}

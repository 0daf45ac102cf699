package render

func (r *renderer) identity() {}

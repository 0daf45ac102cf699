package render

func (r *renderer) service() {}

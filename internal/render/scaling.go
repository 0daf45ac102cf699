package render

func (r *renderer) scaling() {}

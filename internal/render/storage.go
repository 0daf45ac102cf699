package render

func (r *renderer) storage() {}

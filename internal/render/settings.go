package render

func (r *renderer) settings() {}

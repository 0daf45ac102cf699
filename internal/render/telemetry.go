package render

func (r *renderer) telemetry() {}

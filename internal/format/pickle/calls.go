package pickle

// The opcodes that name classes, call them and give objects their state. No
// class is looked up and nothing is called: a call of a name that the machine
// knows (known.go) gives the value that Python would have made, any other one
// an [Object].

func globalText(m *machine) error {
	g, err := m.names()
	if err == nil {
		m.push(g)
	}
	return err
}

func stackGlobal(m *machine) error {
	name, err := m.pop()
	if err != nil {
		return err
	}
	module, err := m.top()
	if err != nil {
		return err
	}
	moduleName, ok1 := module.(string)
	qualified, ok2 := name.(string)
	if !ok1 || !ok2 {
		return m.malformed("a class named by %s and %s", TypeName(module), TypeName(name))
	}
	g, err := m.global(moduleName, qualified)
	if err == nil {
		m.replace(g)
	}
	return err
}

// reduce calls the function below the tuple of arguments.
func reduce(m *machine) error {
	args, err := m.popTuple()
	if err != nil {
		return err
	}
	return m.callTop(args)
}

func newobj(m *machine) error { return reduce(m) }

func newobjEx(m *machine) error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	kwargs, ok := v.(*Dict)
	if !ok {
		return m.malformed("keyword arguments that are %s", TypeName(v))
	}
	if err := reduce(m); err != nil || len(kwargs.Keys) == 0 {
		return err
	}
	v, err = m.top()
	if err != nil {
		return err
	}
	o, ok := v.(*Object)
	if !ok {
		return m.malformed("keyword arguments for %s", TypeName(v))
	}
	o.Kwargs = kwargs
	return nil
}

// inst makes an instance of the class that the opcode names, of protocol 0.
func inst(m *machine) error {
	class, err := m.names()
	if err != nil {
		return err
	}
	args, err := m.markItems()
	if err != nil {
		return err
	}
	m.push(class)
	return m.callTop(args)
}

// obj makes an instance of the class that stands above the mark.
func obj(m *machine) error {
	items, err := m.markItems()
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return m.malformed("an instance without a class")
	}
	m.push(items[0])
	return m.callTop(items[1:])
}

func (m *machine) popTuple() ([]any, error) {
	v, err := m.pop()
	if err != nil {
		return nil, err
	}
	t, ok := v.(*Tuple)
	if !ok {
		return nil, m.malformed("arguments that are %s", TypeName(v))
	}
	return t.Items, nil
}

// callTop replaces the function on top of the stack by what it gives.
func (m *machine) callTop(args []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if err := m.count(objectCost); err != nil {
		return err
	}
	var result any
	switch v := v.(type) {
	case Global:
		result, err = m.call(v, args)
	case *Object:
		// What an unknown call gave is called: nobody knows a class of this name.
		name := Global{v.Class.Module, v.Class.Name + "()"}
		result = &Object{Class: name, Args: []any{v, &Tuple{Items: args}}}
	default:
		return m.malformed("calling %s", TypeName(v))
	}
	if err == nil {
		m.replace(result)
	}
	return err
}

func (m *machine) call(function Global, args []any) (any, error) {
	if function.Name == "__newobj__" && (function.Module == "copyreg" || function.Module == "copy_reg") {
		// NEWOBJ as a function, of protocols 0 and 1: the class is the first argument.
		if len(args) == 0 {
			return nil, m.malformed("an instance without a class")
		}
		class, ok := args[0].(Global)
		if !ok {
			return nil, m.malformed("an instance of %s", TypeName(args[0]))
		}
		function, args = class, args[1:]
	}
	if known, ok := calls[function]; ok {
		return known(m, args)
	}
	return &Object{Class: function, Args: args}, nil
}

// build gives the object below it the state on top of the stack.
func build(m *machine) error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	if v, ok := v.(*Object); ok {
		if v.State != nil {
			return m.malformed("a %s gets its state twice", v.Class)
		}
		v.State = state
		if v.Class != arrayWrapper {
			return nil
		}
		array, err := m.interleaved(v)
		if err == nil {
			m.replace(array)
		}
		return err
	}
	return m.buildNumpy(v, state)
}

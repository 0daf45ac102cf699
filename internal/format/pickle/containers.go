package pickle

import (
	"mizzen.dev/internal/format/npy"
)

func emptyList(m *machine) error { m.push(&List{}); return m.count(containerCost) }
func emptyDict(m *machine) error { m.push(&Dict{}); return m.count(containerCost) }
func emptySet(m *machine) error  { m.push(&Set{}); return m.count(containerCost) }

func (m *machine) tuple(n int) error {
	if len(m.stack)-n < m.floor() {
		return m.malformed("the stack is empty")
	}
	at := len(m.stack) - n
	t := &Tuple{}
	if n > 0 {
		t.Items = append(make([]any, 0, n), m.stack[at:]...)
	}
	m.stack = append(m.stack[:at], t)
	return m.count(containerCost + n)
}

// markItems pops to the mark and copies what it pops.
func (m *machine) markItems() ([]any, error) {
	items, err := m.popMark()
	if err != nil {
		return nil, err
	}
	return append(make([]any, 0, len(items)), items...), m.count(containerCost + len(items))
}

func markTuple(m *machine) error {
	items, err := m.markItems()
	m.push(&Tuple{Items: items})
	return err
}

func list(m *machine) error {
	items, err := m.markItems()
	m.push(&List{Items: items})
	return err
}

func frozenset(m *machine) error {
	items, err := m.markItems()
	if err != nil {
		return err
	}
	m.push(&Set{Items: items})
	return m.checkKeys(items, 1)
}

func appendOne(m *machine) error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	return m.extend([]any{v})
}

func appendMany(m *machine) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.extend(items)
}

// extend appends to the list, or the object that is a list, on top of the stack.
func (m *machine) extend(items []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if err := m.count(len(items)); err != nil {
		return err
	}
	switch v := v.(type) {
	case *List:
		v.Items = append(v.Items, items...)
	case *Object:
		if v.Items == nil {
			v.Items = &Dict{}
		}
		for _, item := range items {
			v.Items.Set(int64(len(v.Items.Keys)), item)
		}
	default:
		return m.malformed("appending to %s", TypeName(v))
	}
	return nil
}

func addItems(m *machine) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	s, ok := v.(*Set)
	if !ok {
		return m.malformed("adding to %s as to a set", TypeName(v))
	}
	s.Items = append(s.Items, items...)
	if err := m.count(len(items)); err != nil {
		return err
	}
	return m.checkKeys(items, 1)
}

func dict(m *machine) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	d := &Dict{}
	if err := m.fill(d, items); err != nil {
		return err
	}
	m.push(d)
	return m.count(containerCost)
}

func setItem(m *machine) error {
	n := len(m.stack)
	if n-2 < m.floor() {
		return m.malformed("the stack is empty")
	}
	pair := m.stack[n-2:]
	m.stack = m.stack[:n-2]
	return m.update(pair)
}

func setItems(m *machine) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.update(items)
}

// update sets pairs of key and value of the dict, or the object that is a
// dict, on top of the stack.
func (m *machine) update(pairs []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *Dict:
		return m.fill(v, pairs)
	case *Object:
		if v.Items == nil {
			v.Items = &Dict{}
		}
		return m.fill(v.Items, pairs)
	}
	return m.malformed("setting an item of %s", TypeName(v))
}

func (m *machine) fill(d *Dict, pairs []any) error {
	if len(pairs)%2 != 0 {
		return m.malformed("a key without a value")
	}
	if err := m.count(len(pairs)); err != nil {
		return err
	}
	if err := m.checkKeys(pairs, 2); err != nil {
		return err
	}
	d.grow(len(pairs) / 2)
	for i := 0; i < len(pairs); i += 2 {
		d.Set(pairs[i], pairs[i+1])
	}
	return nil
}

// maxKeyParts bounds the values in a tuple that is a key, each counted as often
// as a hash would meet it.
const maxKeyParts = 256

// checkKeys refuses keys (every step-th item) that Python could not hash.
func (m *machine) checkKeys(items []any, step int) error {
	for i := 0; i < len(items); i += step {
		if _, ok := items[i].(string); ok {
			continue
		}
		budget := maxKeyParts
		if err := m.checkKey(items[i], &budget); err != nil {
			return err
		}
	}
	return nil
}

func (m *machine) checkKey(key any, budget *int) error {
	if *budget--; *budget < 0 {
		return m.malformed("a key of more than %d parts", maxKeyParts)
	}
	switch key := key.(type) {
	case *List, *Dict, *npy.Array, *npy.Masked:
		return m.malformed("%s as a key", TypeName(key))
	case *Tuple:
		for _, part := range key.Items {
			if err := m.checkKey(part, budget); err != nil {
				return err
			}
		}
	}
	return nil
}

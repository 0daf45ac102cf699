package chart

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// expression yields a scalar of an object. It is known in two forms, which the tests
// hold equal: eval, with which a chart is checked while it is made, and action, what
// Helm computes.
type expression interface {
	eval(at assignment) any
	// action is the expression as an operand of a template's pipeline.
	action() string
}

// reference is a variable itself.
type reference struct{ *variable }

func (r reference) eval(at assignment) any { return at[r.variable] }
func (r reference) action() string         { return r.variable.action }

// linear is factor × variable + offset.
type linear struct {
	*variable
	factor, offset int64
}

func (l linear) eval(at assignment) any {
	return l.factor*at[l.variable].(int64) + l.offset
}

func (l linear) action() string {
	product := l.variable.action
	if l.factor != 1 {
		product = fmt.Sprintf("(mul %d %s)", l.factor, product)
	}
	if l.offset == 0 {
		return product
	}
	return fmt.Sprintf("(add %s %d)", product, l.offset)
}

// ceiling is a number divided by divisor and rounded up: periods of a time.
type ceiling struct {
	*variable
	divisor int64
}

func (c ceiling) eval(at assignment) any {
	return (at[c.variable].(int64) + c.divisor - 1) / c.divisor
}

func (c ceiling) action() string {
	return fmt.Sprintf("(div (add %s %d) %d)", c.variable.action, c.divisor-1, c.divisor)
}

// extreme is the larger or the smaller of two numbers.
type extreme struct {
	larger bool
	a, b   expression
}

func (e extreme) eval(at assignment) any {
	a, b := e.a.eval(at).(int64), e.b.eval(at).(int64)
	if e.larger {
		return max(a, b)
	}
	return min(a, b)
}

func (e extreme) action() string {
	name := "min"
	if e.larger {
		name = "max"
	}
	return fmt.Sprintf("(%s %s %s)", name, e.a.action(), e.b.action())
}

// constant is a scalar that is always the same.
type constant struct{ value any }

func (c constant) eval(assignment) any { return c.value }

func (c constant) action() string {
	if s, ok := c.value.(string); ok {
		return strconv.Quote(s)
	}
	return fmt.Sprint(c.value)
}

// quoted is an expression as Go quotes a string.
type quoted struct{ of expression }

func (q quoted) eval(at assignment) any { return strconv.Quote(fmt.Sprint(q.of.eval(at))) }
func (q quoted) action() string         { return fmt.Sprintf("(printf %q %s)", "%q", q.of.action()) }

// text is a string of constant and variable parts.
type text struct{ parts []expression }

func (t text) eval(at assignment) any {
	var b strings.Builder
	for _, p := range t.parts {
		fmt.Fprint(&b, p.eval(at))
	}
	return b.String()
}

func (t text) action() string {
	operands := make([]string, len(t.parts))
	for i, p := range t.parts {
		operands[i] = p.action()
		if _, isConstant := p.(constant); !isConstant {
			operands[i] = "(toString " + operands[i] + ")" // print puts blanks between numbers
		}
	}
	return "(print " + strings.Join(operands, " ") + ")"
}

// digest is a hash that rendering makes of a text, such as the revision. The chart
// computes it from the same text, in a template of its own.
type digest struct {
	name     string
	template string
	digits   int
	of       expression
}

func (d *digest) eval(at assignment) any {
	sum := sha256.Sum256([]byte(fmt.Sprint(d.of.eval(at))))
	return hex.EncodeToString(sum[:])[:d.digits]
}

func (d *digest) action() string { return fmt.Sprintf("(include %q .)", d.template) }

// predicate says which of two forms an object or a part of it has.
type predicate struct {
	variable *variable
	// atLeast is the bound of a number. A text must not be empty.
	atLeast int64
	// over is the number that the variable must be above instead, if there is one.
	over *variable
}

func (p predicate) holds(at assignment) bool {
	switch v := at[p.variable].(type) {
	case int64:
		if p.over != nil {
			return v > at[p.over].(int64)
		}
		return v >= p.atLeast
	case string:
		return v != ""
	}
	return false
}

func (p predicate) action() string {
	if p.over != nil {
		return fmt.Sprintf("gt %s %s", p.variable.action, p.over.action)
	}
	if p.variable.kind == number {
		return fmt.Sprintf("ge %s %d", p.variable.action, p.atLeast)
	}
	return bare(p.variable.action)
}

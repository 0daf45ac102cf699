package health_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/golden"
	"mizzen.dev/internal/operator/health"
)

const (
	docsPath = "../../../docs/conditions.md"
	begin    = "<!-- begin: conditions -->\n"
	end      = "<!-- end: conditions -->\n"
)

// TestReference holds for the tables of docs/conditions.md, which are made from the
// list in the code.
func TestReference(t *testing.T) {
	raw, err := os.ReadFile(docsPath)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(raw), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the marks around its tables", docsPath)
	}
	golden.Compare(t, docsPath, head+begin+tables()+end+tail)
}

func tables() string {
	var b strings.Builder
	condition := ""
	for _, m := range sorted() {
		if m.Condition != condition {
			condition = m.Condition
			fmt.Fprintf(&b, "\n## %s\n\n| status | reason | meaning, and what to do |\n|---|---|---|\n", condition)
		}
		reason := "`" + m.Reason + "`"
		if strings.HasPrefix(m.Reason, "(") {
			reason = m.Reason
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", m.Status, reason, m.Text)
	}
	return b.String() + "\n"
}

// sorted keeps the order of the list within a condition.
func sorted() []health.Meaning {
	order := []string{v1alpha1.ConditionReady, v1alpha1.ConditionSourceReady, v1alpha1.ConditionWorkloadReady, v1alpha1.ConditionScaledBy,
		v1alpha1.ConditionExposed, v1alpha1.ConditionIsolated, v1alpha1.ConditionObserved, health.AllButReady}
	all := health.Meanings()
	slices.SortStableFunc(all, func(a, b health.Meaning) int {
		return slices.Index(order, a.Condition) - slices.Index(order, b.Condition)
	})
	return all
}

// TestEveryReasonHasAMeaning reads the package's own sources: what a check can say is
// in the list, and the list has nothing that no check says.
func TestEveryReasonHasAMeaning(t *testing.T) {
	listed := map[string]bool{}
	for _, m := range health.Meanings() {
		if !strings.HasPrefix(m.Reason, "(") {
			listed[m.Reason] = true
		}
	}
	for name, value := range constants(t, ".") {
		if strings.HasPrefix(name, "Reason") && !listed[value] {
			t.Errorf("%s = %q has no meaning", name, value)
		}
	}
}

// TestSpecReasons reads the sources of rendering: each problem that it can report with
// the spec has a meaning.
func TestSpecReasons(t *testing.T) {
	const dir = "../../render"
	names := constants(t, dir)
	conditions := map[string]string{"conditionSource": v1alpha1.ConditionSourceReady, "conditionWorkload": v1alpha1.ConditionWorkloadReady,
		"conditionScaled": v1alpha1.ConditionScaledBy, "conditionExposed": v1alpha1.ConditionExposed,
		"conditionIsolated": v1alpha1.ConditionIsolated, "conditionObserved": v1alpha1.ConditionObserved}
	listed := map[[2]string]bool{}
	for _, m := range health.Meanings() {
		listed[[2]string{m.Condition, m.Reason}] = true
	}
	found := 0
	for _, file := range sources(t, dir) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 3 {
				return true
			}
			for i := range call.Args[:len(call.Args)-1] {
				condition, ok := call.Args[i].(*ast.Ident)
				if !ok || conditions[condition.Name] == "" {
					continue
				}
				reason := ""
				switch arg := call.Args[i+1].(type) {
				case *ast.Ident:
					reason = names[arg.Name]
				case *ast.BasicLit:
					reason, _ = strconv.Unquote(arg.Value)
				}
				found++
				if !listed[[2]string{conditions[condition.Name], reason}] {
					t.Errorf("%s has no meaning for the reason %q", conditions[condition.Name], reason)
				}
			}
			return true
		})
	}
	if found < 30 {
		t.Errorf("%d problems were found only", found)
	}
}

// constants returns the string constants of a package's files.
func constants(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, file := range sources(t, dir) {
		for _, decl := range file.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				for i, name := range v.Names {
					if i >= len(v.Values) {
						continue
					}
					if lit, ok := v.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
						found[name.Name], _ = strconv.Unquote(lit.Value)
					}
				}
			}
		}
	}
	return found
}

func sources(t *testing.T, dir string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no sources in %s: %v", dir, err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

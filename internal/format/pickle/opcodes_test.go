package pickle

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The table has the opcodes that pickletools lists, and no other.
func TestOpcodesAreThoseOfPython(t *testing.T) {
	want, err := os.ReadFile("testdata/opcodes.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for code, op := range opcodes {
		if op.run != nil {
			fmt.Fprintf(&got, "%02x %s %d\n", code, op.name, op.protocol)
		}
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("opcodes (-pickletools +ours):\n%s", diff)
	}
}

// Package golden compares what tests make with files that are kept beside them, or in
// docs.
package golden

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the files again that tests compare with")

// Update says whether the files are to be written again.
func Update() bool { return *update }

// Compare fails the test if the file is not what the test got; with -update it writes the
// file.
func Compare(t testing.TB, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // it is committed, and no secret
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("%s is out of date, go test -update writes it (-file +now):\n%s", path, diff)
	}
}

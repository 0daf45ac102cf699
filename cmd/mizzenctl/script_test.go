package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	"github.com/rogpeppe/go-internal/testscript"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/command/commandtest"
)

func TestMain(m *testing.M) {
	program := func() {
		os.Exit(run(context.Background(), os.Args[0], os.Args[1:],
			command.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}
	log.SetLogger(logr.Discard()) // of the servers and the operator that tests start
	testscript.Main(allTests{m}, map[string]func(){ownName: program, pluginFile: program})
}

// TestScripts runs the command lines of testdata/script. $IRIS is the model of the
// README; with-mizzen puts mizzen into the PATH, $BARE_PATH is the PATH without it.
func TestScripts(t *testing.T) {
	iris, err := filepath.Abs("../../examples/iris/model.pkl")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":       commandtest.Exits,
			"with-mizzen": func(ts *testscript.TestScript, _ bool, _ []string) { withMizzen(ts, bin) },
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("IRIS", iris)
			env.Setenv("BARE_PATH", env.Getenv("PATH"))
			return nil
		},
	})
}

// withMizzen builds mizzen, which mizzenctl does not have in it.
func withMizzen(ts *testscript.TestScript, bin string) {
	if out, err := exec.Command("go", "build", "-trimpath", "-o", bin+string(filepath.Separator), "mizzen.dev/cmd/mizzen").CombinedOutput(); err != nil {
		ts.Fatalf("building mizzen: %v\n%s", err, out)
	}
	ts.Setenv("PATH", bin+string(filepath.ListSeparator)+ts.Getenv("PATH"))
}

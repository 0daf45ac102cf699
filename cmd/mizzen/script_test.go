package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/command/commandtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"mizzen": func() {
			os.Exit(run(context.Background(), os.Args[1:], command.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
		},
	})
}

// TestScripts runs the command lines of testdata/script. $IRIS is the model of the
// README, trained on numbers without names; $TABLE a pipeline trained on a data
// frame; $BUNDLE a dict with a model in it; $BAGGING a model of a class that is not
// supported; $SYSTEM a pickle that would run a command if Python loaded it; $RANKING
// an archive with the directory ranking/3, which has the files of a SavedModel.
func TestScripts(t *testing.T) {
	models := map[string]string{
		"IRIS":    "../../examples/iris/model.pkl",
		"TABLE":   "testdata/table.joblib",
		"BUNDLE":  "testdata/bundle.joblib",
		"BAGGING": "testdata/bagging.joblib",
		"SYSTEM":  "testdata/os-system.pkl",
		"RANKING": "testdata/ranking.zip",
	}
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": commandtest.Exits},
		Setup: func(env *testscript.Env) error {
			for name, path := range models {
				abs, err := filepath.Abs(path)
				if err != nil {
					return err
				}
				if _, err := os.Stat(abs); err != nil {
					return err
				}
				env.Setenv(name, abs)
			}
			// The first bytes of a program for Linux, of which nothing is ever run.
			elf := make([]byte, 64)
			copy(elf, "\x7fELF\x02\x01\x01")
			elf[16], elf[18], elf[20], elf[52] = 2, 62, 1, 64 // an x86-64 executable
			if err := os.WriteFile(filepath.Join(env.WorkDir, "mizzen-linux"), elf, 0o755); err != nil {
				return err
			}
			return nil
		},
	})
}

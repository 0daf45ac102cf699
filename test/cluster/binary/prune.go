package binary

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// keptUnused is how long a program is kept that nobody asks for.
const keptUnused = 30 * 24 * time.Hour

// programDir is the name of a program's place in the cache, or of what a build that died
// has left there.
var programDir = regexp.MustCompile(fmt.Sprintf(`^.+-[0-9a-f]{%d}(\.partial)?$`, keyLength))

// used notes that somebody wants the program in dir, as the time of the directory. In a
// cache that only others may change it cannot: that is theirs to clean.
func used(dir string) {
	now := time.Now()
	_ = os.Chtimes(dir, now, now)
}

// prune removes the programs that nobody has asked for since then.
func prune(cache string, since time.Time) error {
	entries, err := os.ReadDir(cache)
	if err != nil {
		return fmt.Errorf("looking for old programs: %w", err)
	}
	var errs []error
	for _, entry := range entries {
		if !entry.IsDir() || !programDir.MatchString(entry.Name()) {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue // another process has removed it
		}
		if err == nil && info.ModTime().Before(since) {
			err = os.RemoveAll(filepath.Join(cache, entry.Name()))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

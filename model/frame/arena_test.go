package frame

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestArenaReleaseKeepsWhatWasHandedOutBefore(t *testing.T) {
	var a Arena
	before := a.Floats(3)
	copy(before, []float64{1, 2, 3})
	for range 4 { // also past the growth of the buffer
		mark := a.Mark()
		for i := range 50 {
			scratch := a.Floats(10)
			scratch[0] = float64(i)
		}
		a.Release(mark)
	}
	if diff := cmp.Diff([]float64{1, 2, 3}, before); diff != "" {
		t.Error(diff)
	}
	if again := a.Floats(2); again[0] != 0 || again[1] != 0 {
		t.Errorf("memory handed out a second time is not zero: %v", again)
	}
}

func TestArenaAllocatesNothingOnceGrown(t *testing.T) {
	var a Arena
	use := func() {
		a.Reset()
		a.Floats(1000)
		a.Values(100)
		a.Columns(10)
		a.Floats(500)
	}
	for range 4 {
		use()
	}
	if n := testing.AllocsPerRun(100, use); n != 0 {
		t.Errorf("%v allocations a request, want 0", n)
	}
}

func TestArenaDropsWhatOneLargeRequestTook(t *testing.T) {
	var a Arena
	a.Floats(maxRetained)
	a.Reset()
	if len(a.floats.buf) != 0 {
		t.Errorf("kept %d numbers", len(a.floats.buf))
	}
}

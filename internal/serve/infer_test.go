package serve

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"mizzen.dev/internal/config"
	"mizzen.dev/internal/wire"
	"mizzen.dev/model/frame"
)

// faulty is a codec with a fault in it.
type faulty struct{ wire.Native }

func (faulty) Encode([]byte, *wire.Request, []frame.Array) ([]byte, error) { panic("a fault") }

// A fault in one call is that call's, and nobody but the log hears of it.
func TestFault(t *testing.T) {
	s := start(t, nil)
	call := &Call{Codec: faulty{}, Bytes: []byte(irisBody)}
	for range 2 * s.core.Config.InFlight {
		if err := s.core.Infer(t.Context(), call); err == nil || call.Status != 500 || strings.Contains(string(call.Out), "fault") {
			t.Fatalf("got %d %s, %v", call.Status, call.Out, err)
		}
	}
	if !strings.Contains(s.log.String(), "fault: a fault") || !strings.Contains(s.log.String(), "infer_test.go") {
		t.Error("the log does not say where the fault is")
	}
	if got := do(t, "POST", s.url+"/predict", irisBody); got.status != 200 {
		t.Errorf("afterwards: got %d %s", got.status, got.body)
	}
	if s.core.Admission.Working() != 0 {
		t.Errorf("%d places are lost", s.core.Admission.Working())
	}
}

// A large call has a time of its own; the caller of a small one may go away.
func TestTimeouts(t *testing.T) {
	s := start(t, func(c *config.Config) { c.RequestTimeout, c.QueueTimeout = time.Millisecond, time.Hour })
	release := s.holdSlots(t)
	defer release()
	large := `{"inputs":[5.1,3.5,1.4,0.2` + strings.Repeat(" ", largeBody) + `]}`
	if got := do(t, "POST", s.url+"/predict", large); got.status != 504 {
		t.Errorf("large: got %d %s", got.status, got.body)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	call := &Call{Codec: wire.Native{}, Bytes: []byte(irisBody)}
	if err := s.core.Infer(gone, call); !errors.Is(err, context.Canceled) || call.Status != StatusClientClosed {
		t.Errorf("gone: got %d, %v", call.Status, err)
	}
}

// Large answers take from the same memory as large bodies, until they are sent.
func TestAnswerMemory(t *testing.T) {
	s := start(t, nil)
	body := `{"inputs":[` + strings.TrimSuffix(strings.Repeat("[5.1,3.5,1.4,0.2],", 1000), ",") + `],"outputs":["apply"]}`
	call := &Call{Codec: wire.Native{}, Bytes: []byte(body)}
	if err := s.core.Infer(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	if held := s.core.memory.used.Load(); held < int64(len(call.Out))-freeBuffer || held == 0 {
		t.Errorf("%d bytes are held for an answer of %d", held, len(call.Out))
	}
	s.core.Sent(call)
	if held := s.core.memory.used.Load(); held != 0 {
		t.Errorf("%d bytes are held when it is sent", held)
	}
	s.core.memory.take(s.core.memory.limit)
	if got := do(t, "POST", s.url+"/predict", body); got.status != 503 || !strings.Contains(got.body, "memory") {
		t.Errorf("without memory: got %d %.100s", got.status, got.body)
	}
}

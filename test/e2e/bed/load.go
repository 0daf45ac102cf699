//go:build linux

package bed

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// IrisRow asks for the class of one iris, and IrisAnswer is what it must be.
const (
	IrisRow    = `{"inputs":[5.1,3.5,1.4,0.2]}`
	IrisAnswer = `{"prediction":[0]}`
)

// Load sends predictions until it is stopped, half of them over new connections, which
// are what a Service spreads.
type Load struct {
	// Total and Failed count calls.
	Total, Failed atomic.Int64
	mu            sync.Mutex
	errors        map[string]int
	done          chan struct{}
	workers       sync.WaitGroup
}

const (
	loadWorkers = 8
	// loadPause between two calls of a worker keeps the two cores for the cluster.
	loadPause = 2 * time.Millisecond
	// callTimeout is beyond what a call may ever take.
	callTimeout = 10 * time.Second
	// maxCalls bounds a load that is never stopped.
	maxCalls = 200_000
)

// StartLoad sends predictions to a server.
func StartLoad(url string) *Load { return StartLoadBy(&http.Transport{}, url) }

// StartLoadBy sends predictions to a server that is reached in a way of its own.
func StartLoadBy(transport *http.Transport, url string) *Load {
	l := &Load{errors: map[string]int{}, done: make(chan struct{})}
	for i := range loadWorkers {
		its := transport.Clone()
		its.DisableKeepAlives = i%2 == 0
		client := &http.Client{Timeout: callTimeout, Transport: its}
		l.workers.Go(func() {
			defer client.CloseIdleConnections()
			pause := time.NewTicker(loadPause)
			defer pause.Stop()
			for l.Total.Load() < maxCalls {
				select {
				case <-l.done:
					return
				case <-pause.C:
					l.call(client, url)
				}
			}
		})
	}
	return l
}

func (l *Load) call(c *http.Client, url string) {
	l.Total.Add(1)
	if err := Predict(c, url); err != nil {
		l.Failed.Add(1)
		l.mu.Lock()
		l.errors[err.Error()]++
		l.mu.Unlock()
	}
}

// Predict asks for the class of one iris.
func Predict(c *http.Client, url string) error {
	res, err := c.Post(url+"/predict", "application/json", strings.NewReader(IrisRow))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(string(body)); res.StatusCode != http.StatusOK || got != IrisAnswer {
		return fmt.Errorf("status %d: %s", res.StatusCode, got)
	}
	return nil
}

// Stop ends the load and says what it was.
func (l *Load) Stop() (total, failed int64, errors map[string]int) {
	close(l.done)
	l.workers.Wait()
	return l.Total.Load(), l.Failed.Load(), l.errors
}

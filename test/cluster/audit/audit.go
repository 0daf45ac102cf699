// Package audit reads the log in which an API server of the tests says who asked it
// for what.
package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"
)

// Policy is what the tests' API servers write down: each request once, when it has
// been answered, without the objects.
const Policy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted, Panic]
rules: [{level: Metadata}]
`

// Event is a request that was answered.
type Event struct {
	AuditID string `json:"auditID"`
	Verb    string `json:"verb"`
	User    struct {
		Username string `json:"username"`
	} `json:"user"`
	UserAgent string `json:"userAgent"`
	URI       string `json:"requestURI"`
	Object    Object `json:"objectRef"`
	Response  struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	Received time.Time `json:"requestReceivedTimestamp"`
}

// Object is what a request was about.
type Object struct {
	Group       string `json:"apiGroup"`
	Resource    string `json:"resource"`
	Subresource string `json:"subresource"`
	Namespace   string `json:"namespace"`
	Name        string `json:"name"`
}

// String says what was done to what, as in "patch apps/deployments/scale ns/name".
func (e Event) String() string {
	resource := e.Object.Resource
	if e.Object.Group != "" {
		resource = e.Object.Group + "/" + resource
	}
	if e.Object.Subresource != "" {
		resource += "/" + e.Object.Subresource
	}
	return fmt.Sprintf("%s %s %s/%s by %s: %d", e.Verb, resource, e.Object.Namespace, e.Object.Name, e.User.Username, e.Response.Code)
}

// Write says whether the request was one to change something, whatever came of it.
// Reviews of what somebody may do are asked by creating them, and change nothing.
func (e Event) Write() bool {
	if e.Object.Group == "authorization.k8s.io" || e.Object.Group == "authentication.k8s.io" {
		return false
	}
	return slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, e.Verb)
}

// Lease says whether the request was about a Lease, which leader election renews.
func (e Event) Lease() bool {
	return e.Object.Group == "coordination.k8s.io" && e.Object.Resource == "leases"
}

// Read returns what is in the log so far, the oldest first. The server writes a
// request down about when it answers: a client that has its answer may be faster.
func Read(path string) ([]Event, error) {
	events, _, err := ReadFrom(path, 0)
	return events, err
}

// ReadFrom returns what is in the log from an offset on, and the offset to go on from.
func ReadFrom(path string, offset int64) ([]Event, int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, offset, fmt.Errorf("reading the audit log: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.NewSectionReader(file, offset, math.MaxInt64-offset))
	if err != nil {
		return nil, offset, fmt.Errorf("reading the audit log: %w", err)
	}
	var events []Event
	for line := range bytes.Lines(content) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // the server is about to write the rest
		}
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, offset, fmt.Errorf("reading the audit log %s: %w in %q", path, err, line)
		}
		events = append(events, e)
		offset += int64(len(line))
	}
	return events, offset, nil
}

// Writes returns, of what a user asked since the given time, what was to change
// something, Leases apart.
func Writes(path, user string, since time.Time) ([]Event, error) {
	events, err := Read(path)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(events, func(e Event) bool {
		return e.User.Username != user || e.Received.Before(since) || !e.Write() || e.Lease()
	}), nil
}

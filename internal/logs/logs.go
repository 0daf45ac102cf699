// Package logs merges the logs of all pods of a Model: in the order of their times
// where they are at an end, as they come while they are followed. It holds one line of
// each container at a time, however long the logs are.
package logs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

const (
	// maxLine is how much of a line is kept together; a longer one comes in parts.
	maxLine = 64 << 10
	// maxStreams is how many containers are read at a time.
	maxStreams = 256
)

// Options choose logs.
type Options struct {
	Namespace string
	// Selector of the pods, as for kubectl get -l.
	Selector string
	// Container is the only one to read; all, those that fetch the model included, if
	// it is empty.
	Container string
	// Follow goes on with what is written from now on, and with new pods.
	Follow bool
	// Previous reads the container that ran before the last restart.
	Previous bool
	// Since is how far back to begin; from the start if it is 0.
	Since time.Duration
	// Tail is how many lines of each container to begin with; all if it is negative.
	Tail int64
}

// Line is one line of a log.
type Line struct {
	Pod, Container string
	Time           time.Time
	Text           string
}

// Note is said about a container instead of lines of it, or about all if it names none.
type Note struct {
	Pod, Container string
	Text           string
}

// Sink takes what comes. Its methods are called by one goroutine at a time.
type Sink interface {
	Line(Line) error
	Note(Note)
}

// TooManyError says that more containers were chosen than are read at a time.
type TooManyError struct{ Containers int }

func (e *TooManyError) Error() string {
	return fmt.Sprintf("%d containers have logs, and at most %d are read at a time: choose some with --revision or --container", e.Containers, maxStreams)
}

// NoPodsError says that there is nothing to read.
type NoPodsError struct{ Namespace, Selector string }

func (e *NoPodsError) Error() string {
	return fmt.Sprintf("no pods in namespace %s have the labels %s", e.Namespace, e.Selector)
}

// NoContainerError says that no pod has a container of that name.
type NoContainerError struct {
	Container string
	// Known are the names that there are.
	Known []string
}

func (e *NoContainerError) Error() string {
	return fmt.Sprintf("no pod has a container %s; there are %s", e.Container, strings.Join(e.Known, " and "))
}

// checkContainer makes sure that some pod has the chosen container.
func (o Options) checkContainer(pods []corev1.Pod) error {
	var known []string
	for i := range pods {
		for _, s := range sourcesOf(&pods[i], Options{}) {
			if s.container == o.Container {
				return nil
			}
			if !slices.Contains(known, s.container) {
				known = append(known, s.container)
			}
		}
	}
	if o.Container == "" || len(pods) == 0 {
		return nil
	}
	return &NoContainerError{Container: o.Container, Known: known}
}

// Print writes the logs to a sink, until they end or, if they are followed, until ctx
// ends.
func Print(ctx context.Context, pods typedcorev1.PodsGetter, o Options, to Sink) error {
	if o.Follow {
		return follow(ctx, pods, o, to)
	}
	list, err := pods.Pods(o.Namespace).List(ctx, metav1.ListOptions{LabelSelector: o.Selector})
	if err != nil {
		return fmt.Errorf("listing the pods: %w", err)
	}
	if len(list.Items) == 0 {
		return &NoPodsError{Namespace: o.Namespace, Selector: o.Selector}
	}
	if err := o.checkContainer(list.Items); err != nil {
		return err
	}
	var sources []source
	for i := range list.Items {
		for _, s := range sourcesOf(&list.Items[i], o) {
			if why := s.silent(o.Previous); why != "" {
				to.Note(Note{Pod: s.pod, Container: s.container, Text: why})
				continue
			}
			sources = append(sources, s)
		}
	}
	if len(sources) > maxStreams {
		return &TooManyError{Containers: len(sources)}
	}
	return merge(ctx, pods, o, sources, to)
}

// source is a container that may have a log.
type source struct {
	namespace, pod, container string
	status                    corev1.ContainerStatus
}

// sourcesOf returns the containers of a pod, those that run first at first.
func sourcesOf(p *corev1.Pod, o Options) []source {
	var all []source
	add := func(specs []corev1.Container, statuses []corev1.ContainerStatus) {
		for _, c := range specs {
			if o.Container != "" && o.Container != c.Name {
				continue
			}
			s := source{namespace: p.Namespace, pod: p.Name, container: c.Name}
			for _, st := range statuses {
				if st.Name == c.Name {
					s.status = st
				}
			}
			all = append(all, s)
		}
	}
	add(p.Spec.InitContainers, p.Status.InitContainerStatuses)
	add(p.Spec.Containers, p.Status.ContainerStatuses)
	return all
}

// silent says why a container has no log; "" if it has one.
func (s source) silent(previous bool) string {
	switch st := s.status; {
	case previous && st.LastTerminationState.Terminated == nil:
		return "has not been restarted: there is no previous log"
	case previous, st.State.Running != nil, st.State.Terminated != nil, st.RestartCount > 0:
		return ""
	case st.State.Waiting != nil && st.State.Waiting.Message != "":
		return "has not started: " + st.State.Waiting.Reason + ": " + st.State.Waiting.Message
	case st.State.Waiting != nil && st.State.Waiting.Reason != "":
		return "has not started: " + st.State.Waiting.Reason
	}
	return "has not started"
}

// open begins to read a log.
func (s source) open(ctx context.Context, pods typedcorev1.PodsGetter, o Options) (io.ReadCloser, error) {
	options := &corev1.PodLogOptions{Container: s.container, Follow: o.Follow, Previous: o.Previous, Timestamps: true}
	if o.Since > 0 {
		seconds := int64(o.Since.Round(time.Second) / time.Second)
		options.SinceSeconds = new(max(seconds, 1))
	}
	if o.Tail >= 0 {
		options.TailLines = &o.Tail
	}
	body, err := pods.Pods(s.namespace).GetLogs(s.pod, options).Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the log of %s in pod %s: %w", s.container, s.pod, err)
	}
	return body, nil
}

// lines reads a log line by line.
type lines struct {
	source source
	r      *bufio.Reader
	last   time.Time
	within bool // of a line that comes in parts
}

func (s source) lines(r io.Reader) *lines {
	return &lines{source: s, r: bufio.NewReaderSize(r, maxLine)}
}

// next returns the next line, or io.EOF.
func (l *lines) next() (Line, error) {
	text, err := l.r.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) && (len(text) == 0 || !errors.Is(err, io.EOF)) {
		return Line{}, err
	}
	line := strings.TrimRight(string(text), "\r\n")
	if !l.within {
		line = l.stamp(line)
	}
	l.within = errors.Is(err, bufio.ErrBufferFull)
	return Line{Pod: l.source.pod, Container: l.source.container, Time: l.last, Text: line}, nil
}

// stamp takes the time away that the kubelet writes in front of each line.
func (l *lines) stamp(line string) string {
	first, rest, _ := strings.Cut(line, " ")
	t, err := time.Parse(time.RFC3339Nano, first)
	if err != nil {
		return line
	}
	l.last = t
	return rest
}

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/archive"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/serve"
	"mizzen.dev/internal/store"
	"mizzen.dev/internal/termination"
	"mizzen.dev/model"
)

// podAnnotation marks the commands that are the main process of a container: what
// they end with goes into the pod's status.
const podAnnotation = "mizzen.dev/in-pod"

func inPod() map[string]string { return map[string]string{podAnnotation: "true"} }

func runsInPod(cmd *cobra.Command) bool { return cmd.Annotations[podAnnotation] != "" }

// leaveReport writes why the command failed where the kubelet looks for it, and
// returns the exit code that goes with it.
func leaveReport(s command.Streams, failure error) int {
	reason := reasonOf(failure)
	report := termination.Report{Reason: reason, Message: failure.Error()}
	if err := termination.Write(termination.Path(os.Getenv), report); err != nil {
		fmt.Fprintf(s.Err, "mizzen: %v\n", err)
	}
	return reason.ExitCode()
}

// reasonOf says in one word why a command failed.
func reasonOf(err error) termination.Reason {
	var usage *command.UsageError
	if errors.As(err, &usage) {
		return termination.ConfigInvalid
	}
	for _, of := range []func(error) termination.Reason{reasonOfModel, reasonOfStore, reasonOfArchive, reasonOfSystem} {
		if reason := of(err); reason != "" {
			return reason
		}
	}
	return termination.Failed
}

func reasonOfModel(err error) termination.Reason {
	var (
		digest      *model.DigestError
		unsupported *model.UnsupportedError
		malformed   *model.FormatError
		limit       *model.LimitError
		selection   *model.SelectError
		none        *serve.NoModelError
	)
	switch {
	case errors.As(err, &digest):
		return termination.DigestMismatch
	case errors.As(err, &unsupported):
		return termination.ModelRefused
	case errors.As(err, &malformed):
		return termination.ModelMalformed
	case errors.As(err, &limit):
		return termination.ModelTooLarge
	case errors.As(err, &selection):
		return termination.ConfigInvalid
	case errors.As(err, &none):
		return termination.SourceNotFound
	}
	return ""
}

func reasonOfStore(err error) termination.Reason {
	var (
		digest *store.DigestError
		size   *store.SizeError
		status *store.StatusError
		volume *store.VolumeError
		creds  *store.CredentialsError
		none   *store.NotFoundError
		stall  *store.StallError
	)
	switch {
	case errors.As(err, &digest):
		return termination.DigestMismatch
	case errors.As(err, &volume):
		if volume.Full() {
			return termination.VolumeFull
		}
		return termination.VolumeNotWritable
	case errors.As(err, &creds):
		return termination.AccessDenied
	case errors.As(err, &none):
		return termination.SourceNotFound
	case errors.As(err, &stall):
		return termination.SourceUnreachable
	case errors.As(err, &size):
		return termination.SourceTooLarge
	case errors.As(err, &status):
		if status.Denied() {
			return termination.AccessDenied
		}
		if status.Missing() {
			return termination.SourceNotFound
		}
		return termination.SourceUnreachable
	}
	return ""
}

func reasonOfArchive(err error) termination.Reason {
	var (
		malformed *archive.MalformedError
		refused   *archive.RefusedError
		limit     *archive.LimitError
		layout    *store.LayoutError
		replace   *store.ReplaceError
	)
	switch {
	case errors.As(err, &malformed), errors.As(err, &layout):
		return termination.ModelMalformed
	case errors.As(err, &refused):
		return termination.ModelRefused
	case errors.As(err, &limit):
		return termination.ModelTooLarge
	case errors.As(err, &replace):
		return termination.VolumeNotWritable
	}
	return ""
}

// reasonOfSystem looks at what the system said.
func reasonOfSystem(err error) termination.Reason {
	var (
		port    *serve.PortError
		timeout *store.TimeoutError
		name    *net.DNSError
		network *net.OpError
	)
	switch {
	case errors.As(err, &port): // nothing to do with where models come from
		return termination.Failed
	case errors.As(err, &timeout), errors.As(err, &name), errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF):
		return termination.SourceUnreachable
	case errors.Is(err, fs.ErrNotExist):
		return termination.SourceNotFound
	case errors.Is(err, fs.ErrPermission):
		return termination.AccessDenied
	}
	return ""
}

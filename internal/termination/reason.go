package termination

import "slices"

// Reason says in one word why a container failed. Fetch and serve have the same
// words and the same exit codes for the same thing.
type Reason string

// The reasons.
const (
	// Failed is all that has no word of its own.
	Failed Reason = "Failed"
	// ConfigInvalid: the command line, a variable or the configuration file is wrong.
	ConfigInvalid Reason = "ConfigInvalid"

	// DigestMismatch: the file is not the one that was asked for.
	DigestMismatch Reason = "DigestMismatch"
	// SourceNotFound: there is no such object, bucket, host or file.
	SourceNotFound Reason = "SourceNotFound"
	// AccessDenied: the store wants credentials, or others.
	AccessDenied Reason = "AccessDenied"
	// SourceUnreachable: the store did not answer, or not in time.
	SourceUnreachable Reason = "SourceUnreachable"
	// SourceTooLarge: the file is larger than --max-bytes.
	SourceTooLarge Reason = "SourceTooLarge"
	// VolumeFull: there is no room for the file.
	VolumeFull Reason = "VolumeFull"
	// VolumeNotWritable: the file may not be written there.
	VolumeNotWritable Reason = "VolumeNotWritable"

	// ModelRefused: the file holds a class that is not supported, or one that no
	// model has, such as os.system.
	ModelRefused Reason = "ModelRefused"
	// ModelMalformed: the file is damaged, or no model file.
	ModelMalformed Reason = "ModelMalformed"
	// ModelTooLarge: the file exceeds one of the bounds of reading.
	ModelTooLarge Reason = "ModelTooLarge"
)

type exitCode struct {
	reason Reason
	code   int
}

// exitCodes are stable: scripts and operators know them.
var exitCodes = [...]exitCode{
	{Failed, 1},
	{ConfigInvalid, 2},
	{DigestMismatch, 10},
	{SourceNotFound, 11},
	{AccessDenied, 12},
	{SourceUnreachable, 13},
	{SourceTooLarge, 14},
	{VolumeFull, 15},
	{VolumeNotWritable, 16},
	{ModelRefused, 20},
	{ModelMalformed, 21},
	{ModelTooLarge, 22},
}

// Reasons returns all of them, by their exit codes.
func Reasons() []Reason {
	all := make([]Reason, len(exitCodes))
	for i, c := range exitCodes {
		all[i] = c.reason
	}
	return all
}

// ExitCode returns the exit code that goes with the reason; 0 for none.
func (r Reason) ExitCode() int {
	for _, c := range exitCodes {
		if c.reason == r {
			return c.code
		}
	}
	if r == "" {
		return 0
	}
	return Failed.ExitCode()
}

// ForExitCode returns the reason that goes with an exit code, for a container
// whose message was lost; "" for 0, for codes that are not ours, such as 137, and for
// that of ConfigInvalid, with which a Go program ends that panics.
func ForExitCode(code int) Reason {
	for _, c := range exitCodes {
		if c.code == code && c.reason != ConfigInvalid {
			return c.reason
		}
	}
	return ""
}

func (r Reason) known() bool { return slices.Contains(Reasons(), r) }

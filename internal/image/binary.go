package image

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// The programs that an image can be for.
const (
	Mizzen    = "mizzen"
	Mizzenctl = "mizzenctl"
)

// Binary is the program of an image.
type Binary struct {
	Platform v1.Platform
	Program  string
	data     []byte
}

// BinaryError says why a file cannot be the program of an image.
type BinaryError struct{ Path, Reason string }

func (e *BinaryError) Error() string { return e.Path + ": " + e.Reason }

// maxBinary bounds the program.
const maxBinary = 512 << 20

var machines = [...]struct {
	machine      elf.Machine
	architecture string
}{
	{elf.EM_X86_64, "amd64"}, {elf.EM_AARCH64, "arm64"},
}

// ReadBinary reads a program for Linux that needs nothing else to run: the image
// has no libraries.
func ReadBinary(program, path string) (*Binary, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxBinary || !info.Mode().IsRegular() {
		return nil, &BinaryError{path, "it is no file, or too large for a program"}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, &BinaryError{path, "it is no program for Linux; build one with GOOS=linux CGO_ENABLED=0, and name it with --binary"}
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			return nil, &BinaryError{path, "it needs libraries that the image does not have; build it with CGO_ENABLED=0"}
		}
	}
	for _, m := range machines {
		if m.machine == file.Machine {
			return &Binary{Platform: v1.Platform{OS: "linux", Architecture: m.architecture}, Program: program, data: data}, nil
		}
	}
	return nil, &BinaryError{path, fmt.Sprintf("there are no images for %s", file.Machine)}
}

// defaults is how the program is started, and what it listens on.
func (b *Binary) defaults(c *v1.Config) {
	switch b.Program {
	case Mizzenctl:
		c.Cmd = []string{"operator"}
	default:
		c.Cmd = []string{"serve"}
		c.ExposedPorts = map[string]struct{}{"5000/tcp": {}, "9000/tcp": {}}
	}
}

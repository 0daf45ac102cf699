package image

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is who runs in the image: nobody that a host is likely to know.
const user = "10001"

// file is one file of the image; its data is nil for a directory.
type file struct {
	name string
	mode fs.FileMode
	data []byte
}

// program is the binary.
func (b *Binary) file() file { return file{b.Program, 0o755, b.data} }

// base are the files beside the binary. Nothing in the image is written to at run
// time: /tmp is there for a volume, /models for the model.
func base() []file {
	return []file{
		{"etc", fs.ModeDir | 0o755, nil},
		{"etc/passwd", 0o644, []byte("mizzen:x:" + user + ":" + user + ":Mizzen:/:/nologin\n")},
		{"etc/group", 0o644, []byte("mizzen:x:" + user + ":\n")},
		{"etc/ssl", fs.ModeDir | 0o755, nil},
		{"etc/ssl/certs", fs.ModeDir | 0o755, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, certificates()},
		{"models", fs.ModeDir | 0o755, nil},
		{"tmp", fs.ModeDir | fs.ModeSticky | 0o777, nil},
	}
}

// certificates are Mozilla's roots as PEM. Those that are trusted only for
// certificates made before some day are left out: PEM cannot say that.
func certificates() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return out.Bytes()
}

// archive returns the files as a tar archive that depends on nothing but them.
func archive(files []file) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Size: int64(len(f.data)), Typeflag: tar.TypeReg, Mode: int64(f.mode.Perm()), Format: tar.FormatUSTAR}
		if f.mode.IsDir() {
			h.Typeflag, h.Name = tar.TypeDir, f.name+"/"
		}
		if f.mode&fs.ModeSticky != 0 {
			h.Mode |= 0o1000
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// WriteRootfs writes what the image has beside a model into a directory.
func WriteRootfs(dir string, b *Binary) error {
	return writeFiles(dir, append(base(), b.file()))
}

func writeFiles(dir string, files []file) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // an image is no secret
		return err
	}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		var err error
		if f.mode.IsDir() {
			err = os.Mkdir(path, f.mode.Perm())
		} else {
			err = os.WriteFile(path, f.data, f.mode.Perm())
		}
		if err != nil {
			return err
		}
		if err := os.Chmod(path, f.mode); err != nil { // whatever the umask is
			return err
		}
	}
	return nil
}

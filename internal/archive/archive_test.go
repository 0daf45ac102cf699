package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unpackBytes unpacks an archive into a new directory, and returns both.
func unpackBytes(t testing.TB, ctx context.Context, data []byte, o Options) (dir string, entries []Entry, err error) { //nolint:revive // t first, as everywhere
	t.Helper()
	above := t.TempDir()
	file := filepath.Join(above, "archive")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir = filepath.Join(above, "a", "b", "root")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	entries, err = Unpack(ctx, f, root, o)
	return dir, entries, err
}

// tree is what lies below a directory: contents of files, "/" for directories, and
// where links point, after an arrow.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(dir, path)
		if err = errors.Join(err, relErr); err != nil || name == "." {
			return err
		}
		switch d.Type() {
		case fs.ModeDir:
			found[name] = "/"
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			found[name] = "-> " + target
			return err
		case 0:
			text, err := os.ReadFile(path)
			found[name] = string(text)
			return err
		default:
			t.Errorf("%s is a %s", name, d.Type())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// item is an entry of an archive that a test makes.
type item struct {
	name, text string // the text of a link is where it points
	kind       byte   // of tar; 0: a file
	mode       int64
	records    map[string]string
}

func tarOf(t testing.TB, items ...item) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, i := range items {
		h := &tar.Header{Name: i.name, Mode: 0o644 | i.mode, Typeflag: tar.TypeReg, Size: int64(len(i.text)), PAXRecords: i.records}
		if i.kind != 0 {
			h.Typeflag, h.Linkname, h.Size = i.kind, i.text, 0
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			h = &tar.Header{Typeflag: i.kind, PAXRecords: map[string]string{"comment": i.text}}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte(i.text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zipOf(t testing.TB, items ...item) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, i := range items {
		h := &zip.FileHeader{Name: i.name, Method: zip.Deflate}
		mode := fs.FileMode(0o644 | i.mode)
		switch i.kind {
		case tar.TypeSymlink:
			mode |= fs.ModeSymlink
		case tar.TypeFifo:
			mode |= fs.ModeNamedPipe
		}
		h.SetMode(mode)
		f, err := w.CreateHeader(h)
		if err == nil && i.text != "" {
			_, err = f.Write([]byte(i.text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gz(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// plain is what most archives look like.
func plain() []item {
	return []item{
		{name: "./", kind: tar.TypeDir}, {name: "./saved_model.pb", text: "a graph"},
		{name: "./variables/variables.index", text: "an index"}, {name: "bin/run", text: "#!", mode: 0o111},
	}
}

func TestUnpack(t *testing.T) {
	want := map[string]string{"saved_model.pb": "a graph", "variables": "/", "variables/variables.index": "an index", "bin": "/", "bin/run": "#!"}
	linked := map[string]string{"1": "/", "1/a": "text", "1/b": "text", "now": "-> 1", "2": "/", "2/c": "-> ../now/a"}
	links := []item{{name: "1/a", text: "text"}, {name: "1/b", text: "1/a", kind: tar.TypeLink}, {name: "now", text: "1", kind: tar.TypeSymlink},
		{name: "2/c", text: "../now/a", kind: tar.TypeSymlink}}
	inZip := []item{{name: "1/", text: ""}, {name: "1/a", text: "text"}, {name: "1/b", text: "text"}, links[2], links[3]}
	tests := map[string]struct {
		data []byte
		want map[string]string
	}{
		"tar":                       {tarOf(t, plain()...), want},
		"tar.gz":                    {gz(t, tarOf(t, plain()...)), want},
		"zip":                       {zipOf(t, plain()[1:]...), want},
		"links in a tar":            {tarOf(t, links...), linked},
		"links in a zip":            {zipOf(t, inZip...), linked},
		"a directory twice":         {tarOf(t, item{name: "a/b/", kind: tar.TypeDir}, item{name: "a/", kind: tar.TypeDir}, item{name: "a/b", kind: tar.TypeDir}), map[string]string{"a": "/", "a/b": "/"}},
		"by git":                    {tarOf(t, append([]item{{kind: tar.TypeXGlobalHeader, text: "5e38416"}}, plain()...)...), want},
		"padded, as tar does":       {append(tarOf(t, plain()...), make([]byte, 10240)...), want},
		"in two members of gzip":    {append(gz(t, tarOf(t, plain()...)[:700]), gz(t, tarOf(t, plain()...)[700:])...), want},
		"a zip with a comment":      {commented(t), want},
		"names of all alphabets":    {tarOf(t, item{name: "모델/정확도 é.txt", text: "x"}), map[string]string{"모델": "/", "모델/정확도 é.txt": "x"}},
		"an empty file":             {tarOf(t, item{name: "a"}), map[string]string{"a": ""}},
		"GNU tar, with a hard link": {read(t, "gnu.tar.gz"), gnu()},
		"Info-ZIP":                  {read(t, "infozip.zip"), gnu()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir, entries, err := unpackBytes(t, t.Context(), test.data, Options{MaxBytes: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, tree(t, dir)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if len(entries) != len(test.want) {
				t.Errorf("%d entries, want %d: %+v", len(entries), len(test.want), entries)
			}
		})
	}
}

// commented is a .zip with a comment at its end.
func commented(t testing.TB) []byte {
	t.Helper()
	data := zipOf(t, plain()[1:]...)
	data[len(data)-2] = byte(len("by hand"))
	return append(data, "by hand"...)
}

// read reads an archive of testdata, which its README says how to make.
func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// gnu is what the archives of testdata hold.
func gnu() map[string]string {
	return map[string]string{"saved_model.pb": "a graph\n", "again.pb": "a graph\n", "variables": "/", "variables/variables.index": "an index\n",
		"latest": "-> variables", "run.sh": "#!/bin/sh\n"}
}

// Who may run a file keeps that right, and nothing else of its mode is kept.
func TestModes(t *testing.T) {
	items := []item{{name: "a", text: "x", mode: 0o7133}, {name: "b", text: "x", mode: 0o7022}}
	for name, data := range map[string][]byte{"tar": tarOf(t, items...), "zip": zipOf(t, items...)} {
		dir, _, err := unpackBytes(t, t.Context(), data, Options{MaxBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		for file, want := range map[string]fs.FileMode{"a": 0o755, "b": 0o644} {
			info, err := os.Stat(filepath.Join(dir, file))
			if err != nil || info.Mode()&^0o022 != want&^0o022 {
				t.Errorf("%s: %s has the mode %s, %v; want %s", name, file, info.Mode(), err, want)
			}
		}
	}
}

// hostile are archives that must not be unpacked, with what the error says.
func hostile(t testing.TB) map[string]struct {
	data []byte
	want string
} {
	t.Helper()
	link := func(name, target string) item { return item{name: name, text: target, kind: tar.TypeSymlink} }
	one := item{name: "a", text: "x"}
	good := tarOf(t, one)
	damaged := gz(t, good)
	damaged[len(damaged)-5] ^= 1 // of the checksum
	bomb := gz(t, tarOf(t, item{name: "zeros", text: strings.Repeat("\x00", 80<<20)}))
	encrypted := zipOf(t, one)
	encrypted[bytes.Index(encrypted, []byte("PK\x01\x02"))+8] |= 1
	method := zipOf(t, one)
	method[bytes.Index(method, []byte("PK\x01\x02"))+10] = 99
	checksum := zipOf(t, one)
	checksum[bytes.Index(checksum, []byte("PK\x01\x02"))+16] ^= 1
	return map[string]struct {
		data []byte
		want string
	}{
		"a path upwards":                 {tarOf(t, item{name: "../../evil", text: "x"}), `"../../evil" leads out of the archive`},
		"a path down and up":             {tarOf(t, item{name: "a/../../evil", text: "x"}), "leads out of the archive"},
		"an absolute path":               {tarOf(t, item{name: "/etc/evil", text: "x"}), "has an absolute path"},
		"zip slip":                       {zipOf(t, item{name: "a/../../../evil", text: "x"}), "leads out of the archive"},
		"zip slip of Windows":            {zipOf(t, item{name: `..\..\evil`, text: "x"}), "has a backslash in its name"},
		"an absolute path in a zip":      {zipOf(t, item{name: "/evil", text: "x"}), "has an absolute path"},
		"a link upwards":                 {tarOf(t, one, link("up", "..")), `"up" is a link out of the archive, or to nothing in it, ".."`},
		"an absolute link":               {tarOf(t, one, link("etc", "/etc")), `"etc" is a link out of the archive, to "/etc"`},
		"a link upwards in a zip":        {zipOf(t, one, link("up", "../../b")), "is a link out of the archive"},
		"a file through a link":          {tarOf(t, item{name: "a/", kind: tar.TypeDir}, link("l", "a"), item{name: "l/evil", text: "x"}), `"l" is there twice`},
		"a file in place of a link":      {tarOf(t, link("l", "a"), item{name: "l", text: "x"}), `"l" is there twice`},
		"a link in place of a directory": {tarOf(t, item{name: "d/f", text: "x"}, link("d", "..")), `"d" is there twice`},
		// Each text stays inside: d is the directory itself, and e goes up from there.
		"links through links":       {tarOf(t, one, link("x/y/d", "../.."), link("e", "x/y/d/..")), `"e" is a link out of the archive`},
		"a link to itself":          {tarOf(t, one, link("l", "l")), `"l" is a link out of the archive, or to nothing`},
		"a link to nothing":         {tarOf(t, one, link("l", "none")), "or to nothing in it"},
		"a hard link upwards":       {tarOf(t, item{name: "l", text: "../../archive", kind: tar.TypeLink}), "leads out of the archive"},
		"a hard link to a link":     {tarOf(t, link("l", ".."), item{name: "m", text: "l", kind: tar.TypeLink}), "is a link to what is no file"},
		"a hard link to what comes": {tarOf(t, item{name: "l", text: "a", kind: tar.TypeLink}, one), "is a link to what is no file in front of it"},
		"a device":                  {tarOf(t, item{name: "sda", kind: tar.TypeBlock}), "but a device, a pipe or the like"},
		"a pipe":                    {tarOf(t, item{name: "p", kind: tar.TypeFifo}), "but a device, a pipe or the like"},
		"a pipe in a zip":           {zipOf(t, item{name: "p", kind: tar.TypeFifo}), "but a device, a pipe or the like"},
		"a file twice":              {tarOf(t, one, one), `"a" is there twice`},
		"a file twice in a zip":     {zipOf(t, one, one), `"a" is there twice`},
		"a file and a directory":    {tarOf(t, one, item{name: "a/b", text: "x"}), `"a" is there twice`},
		"capitals":                  {tarOf(t, one, item{name: "A", text: "x"}), `"A" differs from another file's name in capitals alone: "a"`},
		"capitals of a directory":   {tarOf(t, item{name: "dir/f", text: "x"}, item{name: "Dir/g", text: "x"}), "in capitals alone"},
		"control characters":        {tarOf(t, item{name: "a\x1b[2Jb", text: "x"}), `"a\x1b[2Jb" has a name with control characters`},
		"no UTF-8":                  {zipOf(t, item{name: "a\xff", text: "x"}), "another encoding than UTF-8"},
		"a link with a line break":  {tarOf(t, one, link("l", "a\nb")), "control characters"},
		"a sparse file":             {read(t, "sparse-pax.tar.gz"), `"s" is a sparse file: leave --sparse away`},
		"an older sparse file":      {read(t, "sparse-gnu.tar.gz"), `"s" is a sparse file`},
		"a bomb":                    {bomb, "to more than 200 times its size"},
		"a bomb of links":           {gz(t, tarOf(t, linkBomb()...)), "to more than 200 times its size"},
		"a bomb of one zip":         {zipOf(t, item{name: "zeros", text: strings.Repeat("\x00", 80<<20)}), "to more than 200 times its size"},
		"a bomb that lies":          {lyingZip(t), "damaged"},
		"a bomb of overlaps":        {overlapping(t, 2000), "to more than 200 times its size"},
		"too deep":                  {tarOf(t, item{name: strings.Repeat("d/", maxDepth) + "f", text: "x"}), "lies too deep, in directories; the limit is 32"},
		"too long a name":           {tarOf(t, item{name: strings.Repeat("n", 256), text: "x"}), "has too long a name, in bytes; the limit is 255"},
		"too long a path":           {tarOf(t, item{name: strings.Repeat("n/", 600) + "f", text: "x"}), "has too long a path"},
		"too long a link":           {tarOf(t, one, link("l", strings.Repeat("./", 600)+"a")), "is a link to too long a path"},
		"too many files":            {gz(t, tarOf(t, many()...)), "it has too many files; the limit is 65536"},
		"too many files in a zip":   {zipOf(t, many()...), "it has too many files; the limit is 65536"},
		"a zip that counts wrong":   {countless(t), "it has too many files; the limit is 65536"},
		"cut off":                   {good[:len(good)-1024], "it is cut off: a .tar ends with zeros"},
		"cut off in a file":         {tarOf(t, item{name: "a", text: strings.Repeat("x", 1000)})[:700], `"a" or what comes after it is damaged (unexpected EOF)`},
		"a gzip that is cut off":    {gz(t, good)[:60], "or it is cut off"},
		"a zip that is cut off":     {zipOf(t, one)[:120], "it is cut off"},
		"a wrong checksum":          {damaged, "it is damaged (gzip: invalid checksum)"},
		"a wrong checksum in a zip": {checksum, `"a" or what comes after it is damaged (zip: checksum error)`},
		"trailing garbage":          {append(good[:len(good):len(good)], "garbage"...), "there is something after its end"},
		"two archives":              {append(good[:len(good):len(good)], good...), "there is something after its end"},
		"two archives in a gzip":    {append(gz(t, good), gz(t, good)...), "there is something after its end"},
		"garbage after a gzip":      {append(gz(t, good), "more than a header"...), "it is damaged (gzip: invalid header)"},
		"garbage after a zip":       {append(zipOf(t, one), "garbage"...), "there is something after its end"},
		"zeros without end":         {gz(t, append(good[:len(good):len(good)], make([]byte, 2<<20)...)), "there are too many zeros after its end"},
		"encrypted":                 {encrypted, `"a" is encrypted`},
		"an unknown method":         {method, "is packed by method 99"},
		"no archive":                {[]byte("a model"), "it is no .tar, .tar.gz or .zip, or it is cut off"},
		"no archive in a gzip":      {gz(t, bytes.Repeat([]byte("a model"), 100)), "it is no .tar, .tar.gz or .zip, or it is cut off"},
		"zstd":                      {[]byte("\x28\xb5\x2f\xfd\x00\x00"), "it is packed by zstd; pack it anew, such as with tar czf"},
		"nothing":                   {nil, "there is nothing in it"},
		"an empty tar":              {tarOf(t, item{name: "./", kind: tar.TypeDir}), "there is nothing in it"},
		"an empty zip":              {zipOf(t), "there is nothing in it"},
		"a file without a name":     {tarOf(t, item{name: "./.", text: "x"}), "has no name"},
	}
}

func linkBomb() []item {
	items := []item{{name: "a", text: strings.Repeat("0123456789abcdef", 1<<15)}}
	for i := range 200 {
		items = append(items, item{name: fmt.Sprint("l", i), text: "a", kind: tar.TypeLink})
	}
	return items
}

// many are more entries than may be; in a .tar they are of no files.
func many() []item {
	items := make([]item, maxEntries+1)
	for i := range items {
		items[i] = item{name: fmt.Sprint("f", i), kind: tar.TypeXGlobalHeader, text: "x"}
	}
	return items
}

// The books have room for so many paths, and so long ones.
func TestPaths(t *testing.T) {
	for name, test := range map[string]struct {
		path string // %d is a number
		want string
	}{
		"directories": {"%d" + strings.Repeat("/d", 25), "it has too many files and directories; the limit is 65536"},
		"long ones":   {"%d/" + strings.Repeat("n", 250), "its paths are too long together"},
	} {
		n := newNames()
		var err error
		for i := 0; err == nil; i++ {
			_, err = n.add(fmt.Sprintf(test.path, i), aFile)
		}
		if !typed(err) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// lyingZip has a file that is larger than its directory says.
func lyingZip(t testing.TB) []byte {
	t.Helper()
	data := zipOf(t, item{name: "a", text: strings.Repeat("\x00", 80<<20)})
	at := bytes.Index(data, []byte("PK\x01\x02"))
	copy(data[at+24:], []byte{10, 0, 0, 0})
	return data
}

// overlapping is a .zip whose directory names the same data again and again.
func overlapping(t testing.TB, times int) []byte {
	t.Helper()
	data := zipOf(t, item{name: "00000", text: strings.Repeat("ab", 1<<20)})
	at := bytes.Index(data, []byte("PK\x01\x02"))
	end := bytes.Index(data, []byte("PK\x05\x06"))
	first, tail := data[at:end], data[end:]
	out := append([]byte{}, data[:at]...)
	for i := range times {
		again := append([]byte{}, first...)
		copy(again[46:], fmt.Sprintf("%05d", i))
		out = append(out, again...)
	}
	size := len(out) - at
	tail = append([]byte{}, tail...)
	tail[8], tail[9], tail[10], tail[11] = byte(times), byte(times>>8), byte(times), byte(times>>8)
	tail[12], tail[13], tail[14] = byte(size), byte(size>>8), byte(size>>16)
	return append(out, tail...)
}

// countless is a .zip that claims more files than a machine has memory for.
func countless(t testing.TB) []byte {
	t.Helper()
	data := zipOf(t, item{name: "a", text: "x"})
	at := len(data) - zipEndSize
	record := make([]byte, zip64EndSize)
	copy(record, zip64End)
	for i := zip64EndCount; i < zip64EndCount+5; i++ {
		record[i] = 0xff
	}
	locator := make([]byte, zip64LocatorSize)
	copy(locator, zip64Locator)
	locator[zip64LocatorEnd], locator[zip64LocatorEnd+1] = byte(at), byte(at>>8)
	end := append([]byte{}, data[at:]...)
	end[8], end[9], end[10], end[11] = 0xff, 0xff, 0xff, 0xff
	return bytes.Join([][]byte{data[:at], record, locator, end}, nil)
}

// What is hostile or damaged is refused, with the reason and with what to do.
func TestHostile(t *testing.T) {
	for name, test := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			dir, _, err := unpackBytes(t, t.Context(), test.data, Options{MaxBytes: math.MaxInt64})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q in it; there is %.200v", err, test.want, tree(t, dir))
			}
			if !typed(err) {
				t.Errorf("the error is a %T", err)
			}
			confined(t, dir)
		})
	}
}

// typed reports whether an error says what is wrong with the archive.
func typed(err error) bool {
	var (
		malformed *MalformedError
		refused   *RefusedError
		limit     *LimitError
	)
	return errors.As(err, &malformed) || errors.As(err, &refused) || errors.As(err, &limit)
}

// confined complains if anything lies beside the directory.
func confined(t testing.TB, dir string) {
	t.Helper()
	for above, want := range map[string]string{filepath.Dir(dir): "root", filepath.Dir(filepath.Dir(dir)): "b"} {
		entries, err := os.ReadDir(above)
		if err != nil || len(entries) != 1 || entries[0].Name() != want {
			t.Errorf("%s has %v, %v", above, entries, err)
		}
	}
}

// All files together are bounded by what was asked for.
func TestMaxBytes(t *testing.T) {
	items := []item{{name: "a", text: "12345"}, {name: "b", text: "67890"}}
	for name, data := range map[string][]byte{"tar": tarOf(t, items...), "zip": zipOf(t, items...)} {
		if _, _, err := unpackBytes(t, t.Context(), data, Options{MaxBytes: 10}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, _, err := unpackBytes(t, t.Context(), data, Options{MaxBytes: 9})
		if err == nil || !strings.Contains(err.Error(), `"b" it unpacks to more bytes than --max-bytes allows; the limit is 9`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Who waits no longer is not made to, and hears why.
func TestCancel(t *testing.T) {
	reason := errors.New("enough")
	for name, data := range map[string][]byte{"tar": tarOf(t, plain()...), "zip": zipOf(t, plain()[1:]...)} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(reason)
		if _, _, err := unpackBytes(t, ctx, data, Options{MaxBytes: 1 << 20}); !errors.Is(err, reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Progress comes to the archive's size.
func TestProgress(t *testing.T) {
	for name, data := range map[string][]byte{"tar": tarOf(t, plain()...), "tar.gz": gz(t, tarOf(t, plain()...))} {
		var done, total int64
		_, _, err := unpackBytes(t, t.Context(), data, Options{MaxBytes: 1 << 20, Progress: func(d, of int64) { done, total = d, of }})
		if err != nil || done != int64(len(data)) || total != done {
			t.Errorf("%s: %d of %d, %v; want %d", name, done, total, err, len(data))
		}
	}
}

package joblib

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// maxDictionary is the largest dictionary that Python's presets ask for.
const maxDictionary = 64 << 20

// openXZ walks over the blocks of an xz file without decompressing them. So it
// knows how much each holds, and can lower dictionaries, which the decompressor
// allocates as announced, to what is needed.
func openXZ(data []byte, allowed int64) (io.Reader, error) {
	blocks, total, err := xzBlocks(data)
	if err != nil {
		return nil, err
	}
	if total > allowed {
		return nil, errTooLarge
	}
	copied := false
	for _, b := range blocks {
		announced, err := lzma.DecodeDictCap(data[b.dictionary])
		if err != nil || announced > maxDictionary && b.size > maxDictionary {
			return nil, errors.New("an LZMA dictionary of more than 64 MiB")
		}
		need := lzma.EncodeDictCap(max(b.size, lzma.MinDictCap))
		if need >= data[b.dictionary] {
			continue
		}
		if !copied {
			data, copied = bytes.Clone(data), true
		}
		data[b.dictionary] = need
		sum := data[b.end-4 : b.end]
		binary.LittleEndian.PutUint32(sum, crc32.ChecksumIEEE(data[b.start:b.end-4]))
	}
	return xz.NewReader(bytes.NewReader(data))
}

// xzBlock is a block of an xz file: where its header starts and ends, where in
// it the size of the dictionary stands, and the size of what it holds.
type xzBlock struct {
	start, end, dictionary int
	size                   int64
}

var errXZ = errors.New("the xz structure is damaged or cut short")

// xzBlocks returns the blocks of all streams of a file (The .xz File Format
// 1.2.0) and how much they hold together.
func xzBlocks(data []byte) (blocks []xzBlock, total int64, err error) {
	const headerSize, footerSize = 12, 12
	r := xzCursor{data: data}
	for r.at < len(data) {
		if r.word() == 0 { // padding between streams
			r.skip(4)
			continue
		}
		start := r.at
		check, known := map[byte]int{0: 0, 1: 4, 4: 8, 10: 32}[r.peek(7)&0x0f]
		if r.skip(headerSize); !known {
			return nil, 0, errXZ
		}
		for !r.failed && r.peek(0) != 0 {
			b, err := r.block()
			if err != nil {
				return nil, 0, err
			}
			r.skip(check)
			blocks = append(blocks, b)
			total += b.size
		}
		r.index()
		r.skip(footerSize)
		if r.failed || !bytes.HasPrefix(data[start:], []byte("\xfd7zXZ\x00")) {
			return nil, 0, errXZ
		}
	}
	return blocks, total, nil
}

// xzCursor reads from data; once it failed it stays at the end.
type xzCursor struct {
	data   []byte
	at     int
	failed bool
}

func (r *xzCursor) peek(i int) byte {
	if r.at+i < len(r.data) {
		return r.data[r.at+i]
	}
	r.failed = true
	return 0
}

func (r *xzCursor) word() uint32 {
	if r.at+4 > len(r.data) {
		r.failed = true
		return 1
	}
	return binary.LittleEndian.Uint32(r.data[r.at:])
}

func (r *xzCursor) skip(n int) {
	if n > len(r.data)-r.at {
		r.at, r.failed = len(r.data), true
		return
	}
	r.at += n
}

func (r *xzCursor) varint() uint64 {
	v, n := binary.Uvarint(r.data[r.at:])
	if n <= 0 {
		r.at, r.failed = len(r.data), true
		return 0
	}
	r.at += n
	return v
}

// pad skips to a multiple of four bytes from start.
func (r *xzCursor) pad(start int) { r.skip(-(r.at - start) & 3) }

func (r *xzCursor) index() {
	start := r.at
	r.skip(1)
	for n := r.varint(); n > 0 && !r.failed; n-- {
		r.varint()
		r.varint()
	}
	r.pad(start)
	r.skip(4) // its checksum, which the decompressor verifies
}

// block skips a block's header, its LZMA2 chunks and the padding behind them.
func (r *xzCursor) block() (xzBlock, error) {
	b := xzBlock{start: r.at}
	b.end = b.start + 4*(int(r.peek(0))+1)
	flags := r.peek(1)
	r.skip(2)
	for _, present := range []byte{0x40, 0x80} { // its compressed and its uncompressed size
		if flags&present != 0 {
			r.varint()
		}
	}
	const lzma2 = 0x21
	if filter, size := r.varint(), r.varint(); flags&0x3f != 0 || filter != lzma2 || size != 1 {
		return b, errors.New("an xz filter other than LZMA2 alone")
	}
	b.dictionary = r.at
	if r.failed || b.dictionary >= b.end-4 || b.end > len(r.data) {
		return b, errXZ
	}
	if binary.LittleEndian.Uint32(r.data[b.end-4:]) != crc32.ChecksumIEEE(r.data[b.start:b.end-4]) {
		return b, errors.New("a wrong checksum of an xz block's header")
	}
	r.at = b.end
	for !r.failed {
		control := r.peek(0)
		unpacked := int(r.peek(1))<<8 + int(r.peek(2)) + 1
		switch {
		case control == 0:
			r.failed = false // the two bytes behind it were not needed
			r.skip(1)
			r.pad(b.end)
			return b, nil
		case control < 0x80: // stored
			r.skip(3 + unpacked)
		default:
			unpacked += int(control&0x1f) << 16
			packed := int(r.peek(3))<<8 + int(r.peek(4)) + 1
			if control >= 0xc0 {
				packed++ // the properties
			}
			r.skip(5 + packed)
		}
		b.size += int64(unpacked)
	}
	return b, errXZ
}

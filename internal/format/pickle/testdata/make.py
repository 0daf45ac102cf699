"""Write what the tests of packages pickle and joblib read, and what Python says it is.

usage: python make.py     (with numpy, joblib and lz4; beside the packages' testdata)

values-pN.pkl, arrays-pN.pkl: the same values by pickle.dump in protocol N; values.txt, arrays.txt: the text that
pickletest.Show must give of them. opcodes.txt: pickletools' table. ../../joblib/testdata: the arrays by joblib.dump.
"""
import collections, datetime, fractions, math, os, pickle, pickletools, struct, sys

import joblib
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
JOBLIB = os.path.join(HERE, "..", "..", "joblib", "testdata")


class Show:
    def __init__(self):
        self.numbers, self.keep = {}, []

    def text(self, t):
        return '"' + "".join(c if " " <= c <= "~" and c not in '"\\' else "\\{%x}" % ord(c) for c in t) + '"'

    def float(self, f):
        return "nan" if math.isnan(f) else "f:" + struct.pack(">d", f).hex()

    def dtype(self, d):
        if d.fields is None:
            if d.kind == "O":
                return "dtype:object"
            return "dtype:" + d.str.replace("|u", "<u").replace("|i", "<i")
        fields = sorted(d.fields.items(), key=lambda f: f[1][1])
        return "dtype:%d{%s}" % (d.itemsize, "".join("%s@%d %s;" % (n, f[1], self.dtype(f[0])) for n, f in fields))

    def array(self, a):
        flat = a.ravel(order="C")
        k = a.dtype.kind
        if k == "O":
            elements = "[" + ", ".join(self(x) for x in flat) + "]"
        elif k == "f" and a.dtype.itemsize <= 8:
            elements = "[" + ", ".join(self.float(float(x)) for x in flat) + "]"
        elif k in "iub":
            elements = "[" + ", ".join(str(int(x)) for x in flat) + "]"
        elif k == "U":
            elements = "[" + ", ".join(self.text(str(x)) for x in flat) + "]"
        else:
            elements = "b:" + flat.tobytes().hex()
        return "array(%s, [%s], %s)" % (self.dtype(a.dtype), " ".join(map(str, a.shape)), elements)

    def __call__(self, v):
        if v is None or isinstance(v, (bool, int)):
            return str(v)
        if isinstance(v, np.generic):
            if v.dtype.kind in "fiub" and v.dtype.itemsize <= 8:
                return self(v.item())
            if v.dtype.kind == "U":
                return self.text(str(v))
            if v.dtype.kind == "S":
                return self(bytes(v))
            self.numbers[len(self.numbers)] = -1
            return self.array(np.asarray(v))
        if isinstance(v, float):
            return self.float(v)
        if isinstance(v, str):
            return self.text(v)
        if isinstance(v, (bytes, bytearray)):
            return "b:" + bytes(v).hex()
        if isinstance(v, type):
            return "<%s.%s>" % (v.__module__, v.__qualname__)
        if isinstance(v, np.dtype):
            return self.dtype(v)
        if isinstance(v, tuple) and not v:
            return "()"
        if id(v) in self.numbers:
            return "*%d" % self.numbers[id(v)]
        self.numbers[id(v)] = len(self.numbers)
        self.keep.append(v)
        return self.container(v)

    def container(self, v):
        items = lambda a, xs, b: a + ", ".join(self(x) for x in xs) + b
        if isinstance(v, list):
            return items("[", v, "]")
        if isinstance(v, tuple):
            return items("(", v, ")")
        if isinstance(v, (set, frozenset)):
            return items("set(", v, ")")
        if isinstance(v, dict):
            return "{" + ", ".join(self(k) + ": " + self(x) for k, x in v.items()) + "}"
        if isinstance(v, slice):
            return items("builtins.slice(", (v.start, v.stop, v.step), ")")
        if isinstance(v, complex):
            return items("builtins.complex(", (v.real, v.imag), ")")
        if isinstance(v, datetime.date):
            return items("datetime.date(", v.__reduce__()[1], ")")
        if isinstance(v, np.ma.MaskedArray):
            return "masked(%s, %s, %s)" % (self.array(v.data), self.array(np.ma.getmaskarray(v)), self(v._fill_value))
        if isinstance(v, np.ndarray):
            return self.array(v)
        raise TypeError(type(v))


def values():
    shared = ["shared"]
    cycle = [1]
    cycle.append(cycle)
    return {
        "none": None, "true": True, "false": False,
        "integers": [0, 1, 255, 256, 65535, 65536, -1, -128, -129, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, -(2**63), 2**63, 2**64, -(2**70), 10**30],
        "floats": [0.0, -0.0, 1.5, -2.25, math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308, 0.1],
        "texts": ["", "a", "\xe9", "\u65e5\u672c", "\U0001f600", "line\nbreak", "back\\slash", "\\u0041", "\\\\u0041", "x" * 300, "\0", "\r\x1a", "'\""],
        "bytes": [b"", b"a", bytes(range(256)), b"x" * 300, b"\\u0041"], "bytearray": [bytearray(), bytearray(b"abc\xff")],
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "sets": [set(), {1}, frozenset(["a"]), {"b", "c"}],
        "keys": {1: "one", (1, "a"): 2, None: 3, 2.5: 4, True: 5, b"b": 6},
        "many": {"k%d" % i: i for i in range(1200)}, "long": list(range(1500)),
        "nested": [[[[]]], {}], "shared": [shared, shared], "cycle": cycle,
        "ordered": collections.OrderedDict(b=1, a=[2]), "default": collections.defaultdict(list, a=[1]),
        "classes": [int, fractions.Fraction, collections.OrderedDict],
        "objects": [slice(1, None, 2), complex(1, -2), datetime.date(2026, 1, 31)],
    }


def arrays():
    r = np.arange(24)
    node = np.dtype({"names": ["left", "x", "flag"], "formats": ["<i8", "<f8", "u1"], "offsets": [0, 8, 16], "itemsize": 24})
    nodes = np.zeros(3, node)
    nodes["left"], nodes["x"], nodes["flag"] = [1, -1, -2], [0.5, math.nan, -0.0], [1, 0, 255]
    packed = np.array([(1, 2.5, "ab", (3, 4.0)), (-5, 6.0, "", (7, 8.0))], dtype=[("i", "<i2"), ("f", ">f4"), ("u", "<U2"), ("in", [("a", "u1"), ("b", "<f8")])])
    objects = np.array([["a", None, 1.5], [2**70, True, np.float64(2.5)]], dtype=object)
    ragged = np.empty(2, object)
    ragged[0], ragged[1] = np.arange(3.0), np.array(["x", "yy"])
    out = {"kind " + d: r.astype(d) for d in ("?", "i1", "u1", "<i2", ">i2", "<u2", "<i4", ">i4", "<u4", "<i8", ">i8", "<u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "<c8", "<c16", ">c16", "S3", "<U3", ">U3")}
    out.update({
        "long double": np.frombuffer(bytes(32), "longdouble"),
        "halves": np.array([0, -0.0, 1, 65504, 6e-8, 6.1e-5, math.inf, -math.inf, math.nan], "f2"),
        "two": r.reshape(4, 6).astype(float), "fortran": np.asfortranarray(r.reshape(4, 6).astype(float)), "fortran three": np.asfortranarray(r.reshape(2, 3, 4).astype(">i4")), "transposed": r.reshape(2, 3, 4).transpose(1, 2, 0).astype(float),
        "axes": np.ascontiguousarray(np.arange(24.0).reshape(2, 3, 4)).transpose(0, 2, 1), "strided": np.arange(48.0)[::2], "strings fortran": np.asfortranarray(np.array([["a", "bb"], ["\xe9\u65e5", ""]])),
        "no dimensions": np.array(3.5), "empty": np.zeros((0, 5)), "empty strings": np.array([], dtype="U7"), "one": np.ones((1, 1, 1), "f4"),
        "nodes": nodes, "packed": packed, "objects": objects, "objects fortran": np.asfortranarray(objects), "ragged": ragged,
        "times": np.array(["2026-01-31", "NaT"], "M8[ns]"), "days": np.array(["2026-01-31"], "M8[D]"), "steps": np.array([1, 2], "m8[25s]"),
        "masked": np.ma.MaskedArray([1.0, 2.0, 3.0], mask=[False, True, False]), "masked objects": np.ma.MaskedArray(np.array(["a", 1], object), mask=[True, False], fill_value="?"),
        "scalars": [np.float64(1.5), np.float32(0.1), np.float16(0.5), np.int64(-7), np.uint64(2**64 - 1), np.int8(-1), np.bool_(True), np.str_("\xe9\u65e5"), np.bytes_(b"ab"), np.datetime64("2026-01-31", "s"), np.complex128(1 + 2j)],
        "types": [np.float64, np.ndarray, np.dtype("<f4"), np.dtype(">U5"), node],
    })
    return out


def main():
    for name, v in (("values", values()), ("arrays", arrays())):
        with open(os.path.join(HERE, name + ".txt"), "w") as f:
            f.write(Show()(v) + "\n")
        for p in range(6):
            with open(os.path.join(HERE, "%s-p%d.pkl" % (name, p)), "wb") as f:
                pickle.dump(v, f, p)
    with open(os.path.join(HERE, "opcodes.txt"), "w") as f:
        for o in sorted(pickletools.opcodes, key=lambda o: ord(o.code)):
            f.write("%02x %s %d\n" % (ord(o.code), o.name, o.proto))
    os.makedirs(JOBLIB, exist_ok=True)
    v = arrays()
    for p in range(6):
        joblib.dump(v, os.path.join(JOBLIB, "arrays-p%d.joblib" % p), protocol=p)
    for c in ("zlib", "gzip", "bz2", "xz", "lzma", "lz4"):
        joblib.dump(v, os.path.join(JOBLIB, "arrays.%s.joblib" % c), compress=(c, 3))
    large = {"large": np.repeat(np.arange(300.0), 1000).reshape(1000, 300), "after": "text"}
    joblib.dump(large, os.path.join(JOBLIB, "large.zlib.joblib"), compress=3)


main()

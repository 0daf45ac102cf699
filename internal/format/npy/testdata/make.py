"""Write .npy files for the tests of package npy, as numpy does, and what numpy reads in them.

usage: python make.py     (with numpy)

NAME.npy, and in expect.json for each NAME: dtype, shape, and the elements row-major (strings for U and S, floats as
hexadecimal text for f, integers for i, u and b, bytes as hexadecimal text for the rest).
"""
import json, math, os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
r = np.arange(6)
node = np.dtype({"names": ["left", "x", "flag"], "formats": ["<i8", "<f8", "u1"], "offsets": [0, 8, 16], "itemsize": 24})
nodes = np.zeros(3, node)
nodes["left"], nodes["x"], nodes["flag"] = [1, -1, -2], [0.5, 1e300, -0.0], [1, 0, 255]
ARRAYS = {
    "f8": r.astype("<f8"), "f8-big": r.astype(">f8"), "f4": np.array([0.1, -math.inf, math.nan], "<f4"), "f2": np.array([0, -0.0, 1, 65504, 6e-8, 6.1e-5, math.inf, math.nan], "<f2"),
    "i1": np.array([-128, 127], "i1"), "i4-big": np.array([-2, 2**31 - 1], ">i4"), "u8": np.array([0, 2**63 - 1], "<u8"), "bool": np.array([True, False, True]),
    "text": np.array(["a", "\xe9\u65e5", "\U0001f600x"]), "text-big": np.array(["ab", ""], ">U2"), "bytes": np.array([b"a", b"bcd"]),
    "two": r.reshape(2, 3).astype("<f8"), "fortran": np.asfortranarray(r.reshape(2, 3).astype("<i2")), "scalar": np.array(2.5), "empty": np.zeros((0, 4)),
    "nodes": nodes, "times": np.array(["2026-01-31", "NaT"], "M8[ns]"), "complex": np.array([1 + 2j], "<c16"),
    "inner": np.array([(1, (2, 3.0), [4, 5])], [("a", "<i4"), ("b", [("c", "u1"), ("d", "<f8")]), ("e", "<i2", (2,))]),
}


def elements(a):
    flat = a.ravel()
    if a.dtype.kind in "iub":
        return [int(x) for x in flat]
    if a.dtype.kind == "f":
        return [float(x).hex() for x in flat]
    if a.dtype.kind == "U":
        return [str(x) for x in flat]
    if a.dtype.kind == "S":
        return [x.decode() for x in flat]
    return flat.tobytes().hex()


expect = {}
for name, a in ARRAYS.items():
    with open(os.path.join(HERE, name + ".npy"), "wb") as f:
        np.lib.format.write_array(f, a, version=(3, 0) if name == "nodes" else (2, 0) if name == "two" else None)
    expect[name] = {"dtype": a.dtype.str, "shape": a.shape, "elements": elements(a)}
with open(os.path.join(HERE, "expect.json"), "w") as f:
    json.dump(expect, f, indent=1)
    f.write("\n")

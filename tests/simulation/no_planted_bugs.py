"""The server that users run must have no trace of the planted bugs; the simulation that was built with them has one."""
import pathlib
import sys

MARKER = b"armazem was built with planted bugs"
BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"

server = (BUILD / "release/bin/armazem").read_bytes()
planted = (BUILD / "planted/bin/simulation").read_bytes()
if MARKER not in planted:
    sys.exit("the marker of src/core/planted.h is not even in the program that is built with planted bugs")
if MARKER in server:
    sys.exit("the server was built with planted bugs")
print("no planted bugs in", BUILD / "release/bin/armazem")

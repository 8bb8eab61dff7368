"""What the person at the terminal sees while it runs."""
import sys


def say(text=""):
    print(text, file=sys.stderr, flush=True)

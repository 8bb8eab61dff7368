"""A directory for servers that run as other users: pytest's tmp_path lies below one of mode 0700."""
import contextlib
import shutil
import tempfile
from pathlib import Path


@contextlib.contextmanager
def scratch_directory():
    path = Path(tempfile.mkdtemp(prefix="armazem-cluster-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)

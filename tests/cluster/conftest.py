"""Fixtures of the cluster's own tests: a directory that PostgreSQL's user can reach, and clusters that are ended."""
import contextlib
import shutil
import tempfile
from pathlib import Path

import pytest


@contextlib.contextmanager
def scratch_directory():
    """pytest's tmp_path lies below a directory of mode 0700, which user postgres may not pass."""
    path = Path(tempfile.mkdtemp(prefix="armazem-cluster-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def scratch():
    with scratch_directory() as path:
        yield path


@pytest.fixture(scope="module")
def module_scratch():
    with scratch_directory() as path:
        yield path

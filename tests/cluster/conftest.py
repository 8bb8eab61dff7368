"""Fixtures of the cluster's own tests: a directory that PostgreSQL's user can reach, and clusters that are ended."""
import pytest

from support.scratch import scratch_directory


@pytest.fixture
def scratch():
    with scratch_directory() as path:
        yield path


@pytest.fixture(scope="module")
def module_scratch():
    with scratch_directory() as path:
        yield path

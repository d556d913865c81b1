"""Fixtures of the commands' tests."""

import json

import pytest

from tests.models.conftest import toy  # noqa: F401 - a fixture
from tests.sources.conftest import make_document


@pytest.fixture
def annotations(tmp_path):
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(make_document()))
    return path


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder

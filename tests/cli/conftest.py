"""The drawn images of the models' tests serve here, too."""

from tests.models.conftest import toy  # noqa: F401 - a fixture

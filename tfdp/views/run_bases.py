"""What the brain runs of tfdp share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.core.brain as fob

from ..version import __version__
from .fiftyone_internals import root_dataset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fiftyone.core.collections import SampleCollection

RUN_TYPE = "pruning"


class FieldsRunConfig(fob.BrainMethodConfig):
    """What every run of ours records.

    Args:
        fields: paths of the fields that the run filled.
        tfdp_version: the version that ran.
        **kwargs: what the subclass records.
    """

    def __init__(
        self, fields: Sequence[str] = (), tfdp_version: str = __version__, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.fields = list(fields)
        self.tfdp_version = tfdp_version

    @property
    def type(self) -> str:
        return RUN_TYPE


class FieldsRun(fob.BrainMethod):
    """A run that filled fields, and takes them away when it is deleted."""

    def get_fields(self, samples: SampleCollection, key: str) -> list[str]:  # noqa: ARG002
        return list(self.config.fields)

    def cleanup(self, samples: SampleCollection, key: str) -> None:
        from .run_deleting import delete_run  # which needs the runs

        delete_run(root_dataset(samples), key)


class LabelScoringRun(FieldsRun):
    """A run that scored a label field; its key is for that field alone."""

    def _validate_run(self, samples: SampleCollection, key: str, existing_info: Any) -> None:  # noqa: ARG002
        self._validate_fields_match(key, "label_field", existing_info)


class RecordResults(fob.BrainResults):
    """Results that are one JSON object."""

    def __init__(
        self,
        samples: SampleCollection,
        config: FieldsRunConfig,
        key: str,
        record: dict[str, Any],
        backend: FieldsRun | None = None,
    ) -> None:
        super().__init__(samples, config, key, backend=backend)
        self.record = record

    @classmethod
    def _from_dict(
        cls, d: dict[str, Any], samples: SampleCollection, config: FieldsRunConfig, key: str
    ) -> RecordResults:
        return cls(samples, config, key, d["record"])


class LabelScoringResults(RecordResults):
    """What a run that scored labels found, beside the scores, which are in the fields.

    ``record`` is the whole as one JSON object.
    """

    @property
    def counts(self) -> dict[str, int]:
        """Numbers: ``samples``, ``scored_samples``, ``instances``, ``skipped``."""
        return self.record["counts"]

    @property
    def skipped(self) -> dict[str, list[str]]:
        """Reason -> ids of the labels, and of the samples, that were not scored."""
        return self.record["skipped"]

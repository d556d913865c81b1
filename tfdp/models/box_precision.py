"""Boxes and losses of a Mask R-CNN in float32, whatever autocast makes of its layers."""

from __future__ import annotations

from typing import Any

import torch


def _in_float32(values: Any) -> Any:
    if isinstance(values, torch.Tensor):
        return values.float()
    if isinstance(values, dict):
        return {name: _in_float32(value) for name, value in values.items()}
    return [_in_float32(value) for value in values]


def _give_float32(_module: torch.nn.Module, _inputs: Any, output: Any) -> Any:
    return _in_float32(output)


def keep_boxes_in_float32(network: Any) -> None:
    """Turn what the layers under autocast give to box arithmetic and losses to float32.

    Anchors, proposals, sampled boxes and targets have the type of the feature maps and of the
    heads' outputs; bfloat16 holds whole numbers up to 256 alone.

    Args:
        network: a torchvision Mask R-CNN, which keeps its state dict's keys.
    """
    heads = network.roi_heads
    for part in (network.backbone, network.rpn.head, heads.box_predictor, heads.mask_predictor):
        part.register_forward_hook(_give_float32)

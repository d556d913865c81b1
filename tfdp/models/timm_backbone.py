"""Networks of timm as backbones of a Mask R-CNN: their feature maps, and torchvision's FPN."""

from __future__ import annotations

import difflib
from typing import Any

import timm
import torch
from timm.layers.norm_act import freeze_batch_norm_2d
from torch import nn
from torchvision.ops.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool

from .checkpoints import State, load_weights

STRIDES = (4, 8, 16, 32)  # of the maps that the FPN takes
MOST_NEAR = 5  # names in a message


class TimmBackbone(nn.Module):
    """A network of timm with an FPN, as torchvision's Mask R-CNN takes it.

    Attributes:
        body: timm's network.
        fpn: maps "0" to "3" of strides 4 to 32, and "pool".
        out_channels: of each of these maps.
    """

    def __init__(self, body: Any, channels: int) -> None:
        super().__init__()
        info = body.feature_info
        self.levels = [info.reduction().index(stride) for stride in STRIDES]
        self.channels = [info.channels()[level] for level in self.levels]
        self.body = body
        self.fpn = FeaturePyramidNetwork(self.channels, channels, LastLevelMaxPool())
        self.out_channels = channels

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """(n, 3, h, w) images -> the FPN's maps by name."""
        maps = self.body(images)
        chosen = [maps[level] for level in self.levels]
        if chosen[0].shape[1] != self.channels[0]:  # Swin's are (n, h, w, channels)
            chosen = [map_.permute(0, 3, 1, 2) for map_ in chosen]
        found: dict[str, torch.Tensor] = self.fpn({f"{n}": map_ for n, map_ in enumerate(chosen)})
        return found


def find_config(name: str) -> Any:
    """What timm says of the network, of its published weights above all.

    Raises:
        ValueError: timm has no such network.
    """
    if timm.is_model(name):
        return timm.get_pretrained_cfg(name)
    near = difflib.get_close_matches(name, timm.list_models(), MOST_NEAR, cutoff=0.5)
    raise ValueError(
        f"expected the name of a network of timm (timm.list_models() has them all), found {name!r};"
        f" names like it: {', '.join(near) or 'none'}"
    )


def _make_body(name: str, **source: Any) -> Any:
    """The network's feature maps; trained as timm's `source` says, random without."""
    has_size = find_config(name).fixed_input_size
    if has_size:
        source["strict_img_size"] = False  # Swin's windows can be of any number
    try:
        body: Any = timm.create_model(name, features_only=True, **source)
        strides = body.feature_info.reduction()
    except (AttributeError, TypeError, RuntimeError) as error:
        raise ValueError(
            f"expected a network of timm with feature maps of images of any size, found {name}"
            f" ({error})"
        ) from error
    if not set(STRIDES) <= set(strides):
        raise ValueError(
            f"expected a network of timm with feature maps of strides 4, 8, 16 and 32, found {name}"
            f" of {', '.join(map(str, strides))}"
        )
    return body


def _freeze_start(body: Any) -> None:
    """No gradients for what the map of stride 4 is made of: a ResNet's stem and first stage.

    Where that is most of the network, as in HRNet, it all learns.
    """
    weights = list(body.parameters())
    finest = body(torch.zeros(1, 3, 64, 64))[body.feature_info.reduction().index(STRIDES[0])]
    used = torch.autograd.grad(finest.sum(), weights, allow_unused=True)
    start = [weight for weight, gradient in zip(weights, used, strict=True) if gradient is not None]
    if 2 * len(start) < len(weights):
        for weight in start:
            weight.requires_grad_(requires_grad=False)


def make_timm_backbone(name: str, channels: int, *, pretrained: bool) -> TimmBackbone:
    """A backbone without trained weights.

    Args:
        name: as timm has it.
        channels: of the FPN.
        pretrained: trained weights will be loaded: batch norms, and with them the stem and the
            first stage, are then kept as they are, as torchvision does. Layer norms need not.

    Raises:
        ValueError: timm has no such network, or it gives no feature maps.
    """
    body = _make_body(name)
    if pretrained and any(isinstance(part, nn.BatchNorm2d) for part in body.modules()):
        body = freeze_batch_norm_2d(body)  # type: ignore[no-untyped-call]
        _freeze_start(body)
    return TimmBackbone(body, channels)


def read_normalisation(name: str) -> tuple[list[float], list[float]]:
    """Mean and deviation of the three colours, in [0, 1], that the network was trained with."""
    said = find_config(name)
    return list(said.mean), list(said.std)


def download_backbone(name: str) -> State:
    """Published weights of the feature maps, from timm's hub or the hub's cache.

    Raises:
        ValueError: there are none, or they could not be downloaded; says what to do.
    """
    said = find_config(name)
    if not said.has_weights:
        raise ValueError(
            f'timm has no published weights of {name}: start from "none" or from a file'
        )
    try:
        state: State = _make_body(name, pretrained=True).state_dict()
    except OSError as error:
        place = f"https://huggingface.co/{said.hf_hub_id}" if said.hf_hub_id else said.url
        raise ValueError(
            f"could not download timm's weights of {name} ({error}): give as weights the path of"
            f' the file pytorch_model.bin from {place}, or start from "none"'
        ) from error
    return state


def adapt_backbone(name: str, published: State, source: str) -> State:
    """Weights of the feature maps from those of timm's whole network.

    Args:
        name: as timm has it.
        published: timm's state dict of the network; its classifier is left out.
        source: where it is from, for messages.

    Raises:
        ValueError: it is another network's.
    """
    whole = timm.create_model(name, num_classes=0)
    own = whole.state_dict()
    load_weights(whole, {key: value for key, value in published.items() if key in own}, source)
    given = {"state_dict": whole.state_dict()}
    state: State = _make_body(name, pretrained=True, pretrained_cfg_overlay=given).state_dict()
    return state

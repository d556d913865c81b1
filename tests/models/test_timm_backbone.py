"""Mask R-CNN on backbones of timm: maps, normalisation, what is frozen, where weights come from."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

import timm  # noqa: E402

from tfdp.models.mask_rcnn import SUGGESTED_MODELS, TIMM_PREFIX, blank_mask_rcnn  # noqa: E402
from tfdp.models.mask_rcnn_weights import load_start_weights  # noqa: E402
from tfdp.models.training import seeded  # noqa: E402

SMALL = "mobilenetv3_small_050"
PUBLISHED = "models--timm--mobilenetv3_small_050.lamb_in1k"  # its folder in the hub's cache


def blank(name, **given):
    return blank_mask_rcnn(f"{TIMM_PREFIX}{name}", 2, **given)


@pytest.fixture(scope="module")
def trained():
    """A whole network of timm, none of whose weights is as it begins."""
    with seeded(0, 0):
        network = timm.create_model(SMALL)
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(value + 0.1 * torch.rand_like(value))
    return network.eval()


@pytest.mark.parametrize("model", [m for m in SUGGESTED_MODELS if m.startswith(TIMM_PREFIX)])
def test_backbones_give_maps_of_all_strides(model):
    with torch.device("meta"):
        network = blank_mask_rcnn(model, 2, pretrained=True)
        maps = network.backbone(torch.zeros(2, 3, 96, 160))
    assert {name: tuple(map_.shape) for name, map_ in maps.items()} == {
        "0": (2, 256, 24, 40),
        "1": (2, 256, 12, 20),
        "2": (2, 256, 6, 10),
        "3": (2, 256, 3, 5),
        "pool": (2, 256, 2, 3),
    }


@pytest.mark.parametrize("name", ["swin_tiny_patch4_window7_224", "convnext_atto"])
def test_all_of_a_network_with_layer_norms_learns(name):
    network = blank(name, pretrained=True).train()
    boxes, masks = torch.tensor([[5.0, 5, 30, 40]]), torch.ones(1, 70, 100, dtype=torch.uint8)
    target = {"boxes": boxes, "labels": torch.tensor([1]), "masks": masks}
    losses = network([torch.rand(3, 70, 100)], [target])
    sum(losses.values()).backward()
    assert all(weight.grad is not None for weight in network.parameters())


@pytest.mark.parametrize(
    ("model", "mean", "std"),
    [
        ("maskrcnn_light", 0.5, 0.5),
        ("maskrcnn_resnet18_fpn", 0.406, 0.225),
        (f"{TIMM_PREFIX}resnet18", 0.406, 0.225),
    ],
)
def test_images_are_normalised_as_the_backbone_knows_them(model, mean, std):
    network = blank_mask_rcnn(model, 2)
    image = torch.rand(3, 32, 32)
    batch, _ = network.transform([image])
    torch.testing.assert_close(batch.tensors[0, 2], (image[2] - mean) / std)


@pytest.mark.parametrize("model", ["maskrcnn_light", "maskrcnn_resnet18_fpn"])
def test_batch_norms_and_stem_are_kept_where_the_weights_are_trained(model):
    free, kept = blank_mask_rcnn(model, 2), blank_mask_rcnn(model, 2, pretrained=True)
    image = 5 * torch.rand(2, 3, 32, 32)
    for network, changes in ((free, True), (kept, False)):
        body = network.train().backbone.body
        before = {name: value.clone() for name, value in body.state_dict().items()}
        body(image)
        changed = {
            name for name, value in body.state_dict().items() if (value != before[name]).any()
        }
        assert any(name.endswith("running_var") for name in changed) == changes
        assert bool(changed) == changes
    assert all(weight.requires_grad for weight in free.parameters())
    frozen = [name for name, weight in kept.named_parameters() if not weight.requires_grad]
    assert {name for name in frozen if "conv_stem" in name or "body.conv1" in name}
    assert {name for name in frozen if "blocks.1.1." in name or "layer1.1." in name}
    assert not [name for name in frozen if "blocks.2." in name or "layer2." in name]
    assert not any("bn" in name for name, _ in kept.backbone.body.named_parameters())


def test_unknown_names_are_told_names_like_them():
    with pytest.raises(ValueError, match=r"found 'resnet500'; names like it: .*resnet50"):
        blank("resnet500")
    with pytest.raises(ValueError, match=r"maps of images of any size, found vit_small_patch16"):
        blank("vit_small_patch16_224")
    with pytest.raises(ValueError, match=r"strides 4, 8, 16 and 32, found shvit_s1 of 16"):
        blank("shvit_s1")


@pytest.mark.parametrize("pretrained", [True, False])
def test_a_state_dict_of_timm_gives_the_features_of_the_whole_network(
    tmp_path, trained, pretrained
):
    torch.save(trained.state_dict(), tmp_path / "whole.pth")
    network = blank(SMALL, pretrained=pretrained)
    load_start_weights(network, f"{TIMM_PREFIX}{SMALL}", str(tmp_path / "whole.pth"), ["a", "b"])
    image = torch.rand(1, 3, 64, 96)
    expected = trained.forward_intermediates(image, intermediates_only=True)
    for found, map_ in zip(network.eval().backbone.body(image), expected, strict=True):
        torch.testing.assert_close(found, map_, rtol=1e-3, atol=1e-2)


def test_a_state_dict_of_another_network_is_refused(tmp_path):
    torch.save(timm.create_model("convnext_atto").state_dict(), tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"other.pth: expected the weights of this model"):
        load_start_weights(
            blank(SMALL), f"{TIMM_PREFIX}{SMALL}", str(tmp_path / "other.pth"), ["a", "b"]
        )


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty cache of the hub, without the network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def test_published_weights_come_from_the_hubs_cache(hub, trained):
    snapshot = hub / PUBLISHED / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (hub / PUBLISHED / "refs").mkdir()
    (hub / PUBLISHED / "refs" / "main").write_text("abc")
    torch.save(trained.state_dict(), snapshot / "pytorch_model.bin")
    network = blank(SMALL, pretrained=True)
    load_start_weights(network, f"{TIMM_PREFIX}{SMALL}", "imagenet", ["a", "b"])
    own = network.backbone.body.state_dict()
    assert torch.equal(own["conv_stem.weight"], trained.conv_stem.weight)
    assert torch.equal(own["bn1.running_var"], trained.bn1.running_var)


def test_weights_that_cannot_be_downloaded_say_what_to_give(hub):
    with pytest.raises(
        ValueError, match=r"path of the file pytorch_model.bin from https.*lamb_in1k, or start"
    ):
        load_start_weights(blank(SMALL), f"{TIMM_PREFIX}{SMALL}", "imagenet", ["a", "b"])


def test_networks_without_published_weights_say_so():
    with pytest.raises(ValueError, match="no published weights of convnext_atto_rms: start from"):
        load_start_weights(
            blank("convnext_atto_rms"), f"{TIMM_PREFIX}convnext_atto_rms", "imagenet", ["a", "b"]
        )


def test_the_light_network_learns():
    boxes = torch.tensor([[5.0, 5, 30, 40], [50, 10, 90, 60]])
    masks = torch.zeros(2, 70, 100, dtype=torch.uint8)
    masks[0, 5:40, 5:30] = masks[1, 10:60, 50:90] = 1
    targets = [{"boxes": boxes, "labels": torch.tensor([1, 2]), "masks": masks}]
    with seeded(0, 0):
        network = blank_mask_rcnn("maskrcnn_light", 2).train()
        image = 0.1 * torch.rand(3, 70, 100) + 0.8 * masks.amax(0)
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
        losses = []
        for _ in range(20):
            loss = sum(network([image], targets).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert max(losses[-3:]) < 0.5 * losses[0]

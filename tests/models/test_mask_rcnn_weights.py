"""The weights that a network starts from, and the classes that it then has."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tfdp.models import mask_rcnn_weights  # noqa: E402
from tfdp.models.checkpoints import Checkpoint, read_checkpoint, write_checkpoint  # noqa: E402
from tfdp.models.mask_rcnn import blank_mask_rcnn  # noqa: E402
from tfdp.models.mask_rcnn_weights import (  # noqa: E402
    load_start_weights,
    map_heads,
    start_classes,
)
from tfdp.models.training import seeded  # noqa: E402

SMALL = "maskrcnn_resnet18_fpn"
COCO = "maskrcnn_resnet50_fpn"
CLASSES = ["a", "b", "c"]
CLS, BOX, MASK = mask_rcnn_weights.HEADS


@pytest.fixture(scope="module")
def network():
    with seeded(0, 0):
        return blank_mask_rcnn(SMALL, 3)


def save(path, network, model=SMALL):
    write_checkpoint(path, Checkpoint(model, CLASSES, 64, network.state_dict()))
    return str(path)


def test_a_checkpoint_brings_its_weights_and_unless_trained_its_classes(tmp_path, network):
    path = save(tmp_path / "c.pt", network)
    assert start_classes(SMALL, path, ["b", "z"], train=False) == CLASSES
    assert start_classes(SMALL, path, ["b", "z"], train=True) == ["b", "z"]
    loaded = blank_mask_rcnn(SMALL, 3, pretrained=True)
    load_start_weights(loaded, SMALL, path, CLASSES)
    own = network.state_dict()
    assert all(torch.equal(own[name], value) for name, value in loaded.state_dict().items())


def test_a_plain_state_dict_will_do(tmp_path, network):
    torch.save(network.state_dict(), tmp_path / "plain.pth")
    loaded = blank_mask_rcnn(SMALL, 3, pretrained=True)
    load_start_weights(loaded, SMALL, str(tmp_path / "plain.pth"), CLASSES)
    assert torch.equal(loaded.backbone.body.conv1.weight, network.backbone.body.conv1.weight)


def heads(*rows):
    """A state dict of heads whose rows hold the given numbers, and a backbone of one."""
    values = torch.tensor(rows, dtype=torch.float32)
    boxes = torch.stack([values, values + 0.1, values + 0.2, values + 0.3], dim=1).flatten()
    return {
        "backbone.weight": values[:1],
        f"{CLS}.weight": values[:, None].repeat(1, 2),
        f"{CLS}.bias": values,
        f"{BOX}.weight": boxes[:, None].repeat(1, 2),
        f"{BOX}.bias": boxes,
        f"{MASK}.weight": values[:, None, None, None],
        f"{MASK}.bias": values,
    }


def test_heads_are_taken_over_by_the_names_of_classes():
    """By hand: background, then "c" and "a" from their places; "z" as it was."""
    mapped = map_heads(heads(10, 11, 12, 13), heads(0, 1, 2, 3), CLASSES, ["c", "z", "a"])
    expected = heads(10, 13, 2, 11)
    assert mapped.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(mapped[name], value), name


def test_a_training_on_other_classes_takes_over_the_heads_of_those_it_knows(
    tmp_path, network, caplog
):
    path = save(tmp_path / "c.pt", network)
    loaded = blank_mask_rcnn(SMALL, 2, pretrained=True)
    before = loaded.state_dict()[f"{MASK}.weight"].clone()
    load_start_weights(loaded, SMALL, path, ["z", "b"])
    assert "the heads of 1 of 2 classes are taken over, by their names (b)" in caplog.text
    own, theirs = loaded.state_dict(), network.state_dict()
    assert torch.equal(own[f"{MASK}.weight"][[0, 2]], theirs[f"{MASK}.weight"][[0, 2]])
    assert torch.equal(own[f"{MASK}.weight"][1], before[1])
    assert torch.equal(own[f"{BOX}.bias"][8:], theirs[f"{BOX}.bias"][8:12])
    name = "roi_heads.box_head.fc6.weight"
    assert torch.equal(own[name], theirs[name])


def test_cocos_heads_are_taken_over_and_its_batch_norms_have_no_eps(monkeypatch):
    """COCO's weights as torchvision publishes them: 91 outputs, normalised with eps = 0."""
    with seeded(0, 0):
        published = blank_mask_rcnn(COCO, 90, pretrained=True).state_dict()
    published["backbone.body.bn1.running_var"].fill_(1e-4)
    monkeypatch.setattr(mask_rcnn_weights, "download_weights", lambda _: published)
    classes = start_classes(COCO, "coco", ["dog", "cow", "person"], train=True)
    assert classes == ["dog", "cow", "person"]
    network = blank_mask_rcnn(COCO, 3, pretrained=True)
    load_start_weights(network, COCO, "coco", classes)
    rows = [0, 18, 21, 1]  # of the background, and COCO's ids
    assert torch.equal(
        network.roi_heads.box_predictor.cls_score.weight, published[f"{CLS}.weight"][rows]
    )
    image = torch.rand(1, 64, 4, 4)
    expected = image / 0.01  # sqrt(1e-4)
    torch.testing.assert_close(network.backbone.body.bn1(image), expected)
    assert "person" in start_classes(COCO, "coco", ["dog"], train=False)


class Malicious:
    def __reduce__(self):
        return (print, ("run",))


def test_wrong_weights_are_named(tmp_path, network, capsys):
    path = save(tmp_path / "c.pt", network)
    with pytest.raises(ValueError, match=f"expected weights of {COCO}, found {SMALL}"):
        start_classes(COCO, path, ["a"], train=True)
    with pytest.raises(ValueError, match=r"expected labels among the 3 classes .*found z"):
        start_classes(SMALL, path, ["z"], train=False)
    torch.save(network.state_dict(), tmp_path / "plain.pth")
    with pytest.raises(ValueError, match=r"of another shape .*box_predictor"):
        load_start_weights(
            blank_mask_rcnn(SMALL, 4), SMALL, str(tmp_path / "plain.pth"), ["a", "b", "c", "d"]
        )
    with pytest.raises(ValueError, match=r"found no file 'nowhere.pt'"):
        start_classes(SMALL, "nowhere.pt", ["a"], train=True)
    with pytest.raises(ValueError, match=f"no COCO weights of {SMALL}"):
        load_start_weights(network, SMALL, "coco", CLASSES)
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(ValueError, match="expected a torch checkpoint"):
        read_checkpoint(tmp_path / "text.pt")
    torch.save({"a": Malicious()}, tmp_path / "bad.pt")
    with pytest.raises(ValueError, match="expected a torch checkpoint of weights only"):
        read_checkpoint(tmp_path / "bad.pt")
    assert capsys.readouterr().out == ""


def test_weights_that_cannot_be_downloaded_say_what_to_put_where(tmp_path, monkeypatch, network):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(
        ValueError, match=r"put the file resnet18-f37072fd.pth, from .*checkpoints"
    ) as caught:
        load_start_weights(network, SMALL, "imagenet", CLASSES)
    assert str(tmp_path) in str(caught.value)


def test_published_weights_come_from_torchs_cache(tmp_path, monkeypatch):
    from torchvision.models import resnet18

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    published = resnet18()
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(published.state_dict(), tmp_path / "hub/checkpoints/resnet18-f37072fd.pth")
    network = blank_mask_rcnn(SMALL, 3, pretrained=True)
    load_start_weights(network, SMALL, "imagenet", CLASSES)
    body = network.backbone.body
    np.testing.assert_array_equal(body.conv1.weight.detach(), published.conv1.weight.detach())
    assert not body.layer1[0].conv1.weight.requires_grad
    assert body.layer2[0].conv1.weight.requires_grad

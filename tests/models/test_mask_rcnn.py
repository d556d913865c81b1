"""The network: its masks on ground-truth boxes, and the weights that it starts from."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tfdp.models import mask_rcnn  # noqa: E402
from tfdp.models.checkpoints import Checkpoint, read_checkpoint, write_checkpoint  # noqa: E402
from tfdp.models.training import seeded  # noqa: E402

SMALL = "maskrcnn_resnet18_fpn"


@pytest.fixture(scope="module")
def network():
    with seeded(0, 0):
        return mask_rcnn.blank_mask_rcnn(SMALL, 3)


def test_mask_logits_are_those_of_the_whole_network(network):
    """torchvision's own forward, made to detect nothing but the given boxes."""
    images = [torch.rand(3, 64, 80), torch.rand(3, 70, 64)]
    boxes = [torch.tensor([[2.0, 3, 40, 50], [30, 5, 79, 60]]), torch.tensor([[0.0, 0, 64, 70]])]
    labels = [torch.tensor([1, 3]), torch.tensor([2])]
    network.eval()
    with torch.inference_mode():
        logits = mask_rcnn.mask_logits(network, images, boxes, torch.cat(labels))
        batch, _ = network.transform(images)
        features = network.backbone(batch.tensors)
        heads = network.roi_heads
        every = heads.mask_predictor(
            heads.mask_head(heads.mask_roi_pool(features, boxes, batch.image_sizes))
        )
    assert logits.shape == (3, 28, 28)
    expected = torch.stack([every[0, 1], every[1, 3], every[2, 2]])
    torch.testing.assert_close(logits, expected)


@pytest.mark.parametrize("train", [True, False])
def test_images_and_boxes_are_not_resized_again(network, train):
    boxes = torch.tensor([[0.0, 0, 1, 1]])
    targets = [{"boxes": boxes, "masks": torch.ones(1, *size)} for size in ((40, 300), (1, 107))]
    images = [torch.rand(3, 40, 300), torch.rand(3, 1, 107)]
    batch, moved = network.train(train).transform(images, targets)
    assert batch.image_sizes == [(40, 300), (1, 107)]
    assert batch.tensors.shape == (2, 3, 64, 320)
    assert all(torch.equal(target["boxes"], boxes) for target in moved)
    assert moved[0]["masks"].shape == (1, 40, 300)


@pytest.mark.parametrize("model", mask_rcnn.MASK_RCNN_MODELS)
def test_heads_have_the_datasets_classes(model):
    with torch.device("meta"):
        heads = mask_rcnn.blank_mask_rcnn(model, 5, pretrained=True).roi_heads
    assert heads.box_predictor.cls_score.out_features == 6
    assert heads.mask_predictor.mask_fcn_logits.out_channels == 6


def save(path, network, model=SMALL, classes=("a", "b", "c")):
    write_checkpoint(path, Checkpoint(model, list(classes), 64, network.state_dict()))
    return str(path)


def test_a_checkpoint_brings_its_weights_and_classes(tmp_path, network):
    path = save(tmp_path / "c.pt", network)
    assert mask_rcnn.start_classes(SMALL, path, ["b", "z"], train=True) == ["a", "b", "c"]
    loaded = mask_rcnn.blank_mask_rcnn(SMALL, 3, pretrained=True)
    mask_rcnn.load_start_weights(loaded, SMALL, path)
    own = network.state_dict()
    assert all(torch.equal(own[name], value) for name, value in loaded.state_dict().items())


def test_a_plain_state_dict_will_do(tmp_path, network):
    torch.save(network.state_dict(), tmp_path / "plain.pth")
    loaded = mask_rcnn.blank_mask_rcnn(SMALL, 3, pretrained=True)
    mask_rcnn.load_start_weights(loaded, SMALL, str(tmp_path / "plain.pth"))


class Malicious:
    def __reduce__(self):
        return (print, ("run",))


def test_wrong_weights_are_named(tmp_path, network, capsys):
    path = save(tmp_path / "c.pt", network)
    with pytest.raises(
        ValueError, match="expected weights of maskrcnn_resnet50_fpn, found maskrcnn_resnet18_fpn"
    ):
        mask_rcnn.start_classes("maskrcnn_resnet50_fpn", path, ["a"], train=True)
    with pytest.raises(ValueError, match=r"expected labels among the 3 classes .*found z"):
        mask_rcnn.start_classes(SMALL, path, ["z"], train=True)
    with pytest.raises(ValueError, match=r"of another shape .*box_predictor"):
        mask_rcnn.load_start_weights(mask_rcnn.blank_mask_rcnn(SMALL, 4), SMALL, path)
    with pytest.raises(ValueError, match=r"found no file 'nowhere.pt'"):
        mask_rcnn.start_classes(SMALL, "nowhere.pt", ["a"], train=True)
    with pytest.raises(ValueError, match="no COCO weights of maskrcnn_resnet18_fpn"):
        mask_rcnn.load_start_weights(network, SMALL, "coco")
    with pytest.raises(ValueError, match="expected a model of"):
        mask_rcnn.blank_mask_rcnn("yolo", 3)
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
        mask_rcnn.load_start_weights(network, SMALL, "imagenet")
    assert str(tmp_path) in str(caught.value)


def test_published_weights_come_from_torchs_cache(tmp_path, monkeypatch):
    from torchvision.models import resnet18

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    published = resnet18()
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(published.state_dict(), tmp_path / "hub/checkpoints/resnet18-f37072fd.pth")
    network = mask_rcnn.blank_mask_rcnn(SMALL, 3, pretrained=True)
    mask_rcnn.load_start_weights(network, SMALL, "imagenet")
    body = network.backbone.body
    np.testing.assert_array_equal(body.conv1.weight.detach(), published.conv1.weight.detach())
    assert not body.layer1[0].conv1.weight.requires_grad
    assert body.layer2[0].conv1.weight.requires_grad

"""Metrics against closed forms, scikit-learn and single sums over all samples."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.metrics import log_loss, mutual_info_score
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.metrics import (
    CalibrationLoss,
    ClassifierInformation,
    ContrastiveInformation,
    Metric,
    PredictionInformation,
)

WORKER = Path(__file__).with_name("distributed_worker.py")
OF_LABELS: dict[str, Callable[[], Metric]] = {
    "predictions": lambda: PredictionInformation(classes=4),
    "corrected": lambda: PredictionInformation(classes=4, correction="miller-madow"),
    "classifier": lambda: ClassifierInformation(classes=4),
    "calibration": lambda: CalibrationLoss(classes=4),
}


def data(n: int = 200) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(4, (n,), generator=generator)
    return 2 * nn.functional.one_hot(labels, 4) + torch.randn(n, 4, generator=generator), labels


@pytest.mark.parametrize("name", OF_LABELS)
def test_batches_add_up_and_reset_forgets(name: str) -> None:
    logits, labels = data()
    whole, parts, merged = OF_LABELS[name](), OF_LABELS[name](), OF_LABELS[name]()
    first = whole(logits[:50], labels[:50])
    whole.reset()
    assert whole(logits, labels) == whole.compute() > 0
    for start in range(0, 200, 50):
        value = parts(logits[start : start + 50], labels[start : start + 50])
        assert start > 0 or value == first
        other = OF_LABELS[name]()
        other.update(logits[start : start + 50], labels[start : start + 50])
        merged.merge(other)
    torch.testing.assert_close(parts.compute(), whole.compute())
    torch.testing.assert_close(merged.compute(), whole.compute())
    whole.reset()
    with pytest.raises(InvalidArgument, match="No sample was added"):
        whole.compute()


def test_information_of_predictions_and_of_probabilities_is_scikit_learns() -> None:
    logits, labels = data()
    found = PredictionInformation(classes=4)(logits, labels)
    assert found.item() == pytest.approx(mutual_info_score(labels, logits.argmax(1)), rel=1e-6)
    frequencies = labels.bincount() / len(labels)
    entropy = -(frequencies * frequencies.log()).sum()
    cross_entropy = log_loss(labels, logits.double().softmax(1))
    assert ClassifierInformation(classes=4)(logits, labels).item() == pytest.approx(
        entropy.item() - cross_entropy, 1e-5
    )


def test_the_correction_removes_the_bias_of_independent_predictions() -> None:
    generator = torch.Generator().manual_seed(0)
    values = {"none": [], "miller-madow": []}
    for _ in range(200):
        pairs = torch.randint(4, (2, 100), generator=generator)
        for correction, found in values.items():
            found.append(PredictionInformation(classes=4, correction=correction)(*pairs).item())
    assert sum(values["none"]) / 200 == pytest.approx(9 / 200, rel=0.15)  # (C − 1)²/(2n)
    assert sum(values["miller-madow"]) < 0.35 * sum(values["none"])


def test_calibration_is_the_divergence_of_accuracy_from_confidence() -> None:
    logits = torch.tensor([0.8, 0.2]).log().expand(10, 2)
    sharp = torch.tensor([0.6, 0.4]).log().expand(10, 2)
    metric = CalibrationLoss(classes=2)
    metric.update(logits, torch.tensor([0] * 8 + [1] * 2))  # calibrated
    assert metric.compute().item() == pytest.approx(0.0, abs=1e-7)
    metric.update(sharp, torch.tensor([0] * 9 + [1]))
    expected = 0.9 * math.log(0.9 / 0.6) + 0.1 * math.log(0.1 / 0.4)
    assert metric.compute().item() == pytest.approx(expected / 2, rel=1e-5)
    # Certain and wrong: the logarithm of the small probability is not lost in 1 − 1.
    certain = CalibrationLoss(classes=2)
    certain.update(torch.tensor([[100.0, 0.0]]), torch.tensor([1]))
    assert certain.compute().item() == pytest.approx(100.0)


def test_no_temperature_recovers_less_than_the_calibration_loss_of_a_sharpened_classifier() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20_000, 3, generator=generator, dtype=torch.float64)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    calibrated, sharpened = (CalibrationLoss(classes=3)(scale * logits, labels).item() for scale in (1, 3))
    recoverable = nn.functional.cross_entropy(3 * logits, labels) - nn.functional.cross_entropy(logits, labels)
    assert calibrated < 2 * 15 / (2 * 20_000)
    assert 0.3 * recoverable.item() < sharpened < recoverable.item()


def test_infonce_is_the_cross_entropy_of_the_positive() -> None:
    scores = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    metric = ContrastiveInformation()
    metric.update(scores[:30, 0], scores[:30, 1:])
    metric.update(scores[30:, 0], scores[30:, 1:])
    expected = math.log(6) - nn.functional.cross_entropy(scores, torch.zeros(40, dtype=torch.int64))
    torch.testing.assert_close(metric.compute(), expected)
    assert metric.ceiling == pytest.approx(math.log(6))


def test_sums_are_saved_and_remain_precise_where_the_module_is_converted() -> None:
    logits, labels = data()
    model = nn.ModuleDict({"metric": ClassifierInformation(classes=4), "layer": nn.Linear(2, 2)})
    model["metric"].update(logits, labels)
    before = model["metric"].compute()
    model.half()
    assert model["layer"].weight.dtype == torch.float16
    assert model["metric"].compute() == before
    fresh = nn.ModuleDict({"metric": ClassifierInformation(classes=4), "layer": nn.Linear(2, 2)})
    fresh.load_state_dict(copy.deepcopy(model.state_dict()))
    assert fresh["metric"].compute() == before
    assert model.to("meta")["metric"].counts.is_meta


def test_processes_add_up(process_group: Any, tmp_path: Path) -> None:
    reference, results = process_group(WORKER, [7, 4], tmp_path)
    assert len(reference) == 4
    for result in results:
        for name, values in reference.items():
            torch.testing.assert_close(result[name], values)


@pytest.mark.parametrize("kind", [PredictionInformation, ClassifierInformation, CalibrationLoss])
def test_what_does_not_fit_is_refused_and_not_added(kind: type[Metric]) -> None:
    metric = kind(classes=3)
    for batch in (
        (torch.zeros(2, 3), torch.tensor([0, 3])),
        (torch.zeros(2, 3), torch.tensor([0.0, 1.0])),
        (torch.zeros(2, 4), torch.tensor([0, 1])),
        (torch.zeros(3, 3), torch.tensor([0, 1])),
    ):
        with pytest.raises(InvalidArgument):
            metric.update(*batch)
    assert all(bool((buffer == 0).all()) for buffer in metric.buffers())
    with pytest.raises(InvalidArgument, match="^classes must"):
        kind(classes=1)
    with pytest.raises(InvalidArgument, match="^other must be a metric equal to"):
        metric.merge(kind(classes=4))


def test_torchmetrics_adapter_is_collected_and_reset() -> None:
    torchmetrics = pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")
    from infoflow.integrations.torchmetrics import TorchMetric

    logits, labels = data()
    own = ClassifierInformation(classes=4)
    collection = torchmetrics.MetricCollection(
        {"information": TorchMetric(own), "calibration": TorchMetric(CalibrationLoss(classes=4))}
    )
    for start in (0, 100):
        collection.update(logits[start : start + 100], labels[start : start + 100])
    own.update(logits, labels)
    found = collection.compute()
    torch.testing.assert_close(found["information"], own.compute())
    assert found["calibration"] > 0
    collection.reset()
    collection.update(logits[:50], labels[:50])
    own.reset()
    assert collection.compute()["information"] == own(logits[:50], labels[:50])
    with (
        pytest.warns(UserWarning, match="before the ``update``"),
        pytest.raises(InvalidArgument, match="No sample was added"),
    ):
        TorchMetric(PredictionInformation(classes=4)).compute()


@pytest.mark.filterwarnings("default")
def test_lightning_logs_the_adapter(tmp_path: Path) -> None:
    lightning = pytest.importorskip("lightning", reason="Lightning (infoflow[lightning]) is not installed")
    from infoflow.integrations.torchmetrics import TorchMetric

    logits, labels = data()

    class Classifier(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Linear(4, 4)
            self.information = TorchMetric(ClassifierInformation(classes=4))

        def validation_step(self, batch: Any, index: int) -> None:
            self.information.update(self.net(batch[0]), batch[1])
            self.log("information", self.information, on_epoch=True)

    module = Classifier()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(logits, labels), 64)
    trainer = lightning.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        default_root_dir=tmp_path,
    )
    found = trainer.validate(module, loader, verbose=False)[0]["information"]
    assert found == pytest.approx(ClassifierInformation(classes=4)(module.net(logits), labels).item(), rel=1e-5)

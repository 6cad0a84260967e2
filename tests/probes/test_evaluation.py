from __future__ import annotations

import math
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Kind
from infoflow.data import digits, split
from infoflow.estimators import Gaussian
from infoflow.probes import (
    FineTuning,
    InputInformation,
    LinearSVM,
    Logistic,
    Monitor,
    NearestNeighbors,
    NeuralDependency,
    Reconstruction,
    Score,
    TotalCorrelation,
    evaluate,
    table3,
)
from infoflow.training import Fit, Player, fit

DATA = split(digits())


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.conv, self.fc = nn.Conv2d(1, 4, 3), nn.Linear(4 * 36, 8)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator) / 4

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        local = self.conv(x).relu()
        return local, self.fc(local.flatten(1))


QUICK = [
    LinearSVM(runs=2, penalty=1.0),
    NearestNeighbors(),
    Reconstruction(epochs=1),
    InputInformation(Gaussian(), n_samples=300),
    NeuralDependency(settings={"hidden": (8,), "max_epochs": 2}),
    NeuralDependency(sigmoid=True, settings={"hidden": (8,), "max_epochs": 2}),
    TotalCorrelation(),
    FineTuning(per_class=5, epochs=2, runs=2),
]


@pytest.mark.slow
def test_the_default_measures_give_the_row_of_the_paper() -> None:
    pytest.importorskip("torchmetrics", reason="torchmetrics (infoflow[vision]) is not installed")
    found = evaluate(Encoder(), DATA, name="random")
    assert list(found.row.columns) == ["SVM (conv)", "SVM (Y)", "MS-SSIM", "Î(X;Y)", "NDM", "NDM (sigmoid)", "TC"]
    assert found.frame["value"].notna().all()


def test_one_call_gives_a_row_a_table_and_a_page(tmp_path: Path) -> None:
    pytest.importorskip("torchmetrics", reason="torchmetrics (infoflow[vision]) is not installed")
    encoder = Encoder()
    found = evaluate(encoder, DATA, probes=QUICK, name="<b>random</b>", prepare=lambda x: 2 * x - 1)
    assert list(found.row.columns) == [
        *("SVM (conv)", "SVM (Y)", "k-NN (conv)", "k-NN (Y)", "MS-SSIM", "Î(X;Y)", "NDM", "NDM (sigmoid)", "TC"),
        "fine-tuned",
    ]
    assert repr(found).startswith("Evaluation('<b>random</b>', SVM (conv) = ")
    assert "<td>&lt;b&gt;random&lt;/b&gt;</td>" in found._repr_html_()
    assert found.frame["value"].notna().all()
    assert (found.frame["kind"] != "").all()
    assert found.row.loc["<b>random</b>", "SVM (conv)"] > 0.8
    assert found.scores["TC", "Y"].kind is Kind.POINT
    page = tmp_path / "new" / "page.html"
    other = evaluate(nn.Flatten(), DATA, probes=QUICK[1:2], name="pixels")
    found.page(page, others=[other])
    text = page.read_text()
    assert "&lt;b&gt;random" in text
    assert "<b>" not in text
    assert "http" not in text
    assert f"{100 * found.row.iloc[0]['SVM (Y)']:.2f} %" in text
    parser = HTMLParser()
    parser.feed(text)
    assert [p.name for p in tmp_path.joinpath("new").iterdir()] == ["page.html"]
    with pytest.raises(InvalidArgument, match="^path must"):
        found.page(tmp_path)


def test_a_failing_measure_does_not_affect_the_others() -> None:
    found = evaluate(nn.Flatten(), DATA, probes=[NearestNeighbors(k=5000), TotalCorrelation()])
    failed, well = found.frame.iloc[0], found.frame.iloc[1]
    assert math.isnan(failed["value"])
    assert failed["warnings"].startswith("not measured: k must be")
    assert not math.isnan(well["value"])
    assert ("k-NN", "Y") not in found.scores


def test_a_user_defined_probe() -> None:
    class Width:
        name: ClassVar[str] = "width"
        takes: ClassVar[str] = "features"

        def score(self, features: Any) -> Score:
            return Score("width", float(features.shape[1]), "", Kind.EXACT, len(features))

    assert evaluate(nn.Flatten(), DATA, probes=[Width()]).row.iloc[0]["width"] == 64


def arrays(labels: torch.Tensor) -> Any:
    return (torch.rand(40, 3), labels), (torch.rand(20, 3), labels[:20])


@pytest.mark.parametrize(
    ("encoder", "data", "error", "message"),
    [
        (nn.Identity(), arrays(torch.zeros(40, dtype=torch.int64)), InvalidArgument, "^train labels must"),
        (
            nn.Identity(),
            arrays(torch.zeros(39, dtype=torch.int64)),
            InvalidArgument,
            "40.*39",
        ),
        (nn.Identity(), arrays(torch.rand(40)), InvalidArgument, "^train labels"),
        (lambda x: None, arrays(torch.arange(40) % 2), InvalidArgument, "^encoder must.*NoneType"),
        (lambda x: x * math.nan, arrays(torch.arange(40) % 2), InvalidArgument, "NaN"),
        (nn.Identity(), 3, InvalidArgument, "^data must"),
        (nn.Identity(), ((torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64)),) * 2, TooFewSamples, "0"),
    ],
)
def test_unusable_encoders_and_data_raise(encoder: Any, data: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        evaluate(encoder, data, probes=[NearestNeighbors(k=1)])


def test_invalid_probes_raise() -> None:
    with pytest.raises(InvalidArgument, match="^probes must"):
        evaluate(nn.Flatten(), DATA, probes=[])
    with pytest.raises(InvalidArgument, match="^probes must"):
        evaluate(nn.Flatten(), DATA, probes=["svm"])
    with pytest.raises(InvalidArgument, match="^probes must.*'k-NN' twice"):
        evaluate(nn.Flatten(), DATA, probes=[NearestNeighbors(), NearestNeighbors(k=3)])
    with pytest.raises(UnknownName, match="unknown layer"):
        evaluate(Encoder(), DATA, layers=["fcc"], probes=[NearestNeighbors()])


def test_more_pixels_give_a_higher_accuracy() -> None:
    """All pixels contain more about the digit than a quarter of them, and a quarter more than two."""
    whole, quarter, two = (
        evaluate(lambda x, n=n: x.flatten(1)[:, 20 : 20 + n], DATA, probes=[Logistic(runs=1)]).row.iloc[0, 0]
        for n in (44, 16, 2)
    )
    assert whole > quarter > two > 0.1


def test_the_default_measures_are_those_of_the_paper() -> None:
    assert [probe.name for probe in table3()] == ["SVM", "MS-SSIM", "Î(X;Y)", "NDM", "NDM (sigmoid)", "TC"]


def test_a_monitor_does_not_influence_training() -> None:
    """The accuracy is in the history, and the trained weights are those without a monitor."""
    (x, y), (report, report_y) = DATA.train.tensors(), DATA.test.tensors()

    def trained(monitored: bool) -> tuple[list[dict[str, float]], torch.Tensor]:
        generator = torch.Generator().manual_seed(0)
        network = nn.Sequential(nn.Linear(64, 2), nn.Dropout(0.1), nn.Linear(2, 10))
        for parameter in network.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator) / 8
        monitor = Monitor(network, ((x, y), (report, report_y)), layers=["0"], n_samples=400)
        player = Player(network, lambda x, y: nn.functional.cross_entropy(network(x), y))
        history = fit(player, [x, y], Fit(8, 64), evaluate=monitor if monitored else None, every=4)
        return history, network[0].weight.detach()

    history, weight = trained(True)
    curve = [row["probe_accuracy/0"] for row in history if "probe_accuracy/0" in row]
    assert [row["epoch"] for row in history if "probe_accuracy/0" in row] == [0, 4, 8]
    assert all(0 < value < 1 for value in curve)
    assert torch.equal(weight, trained(False)[1])


def test_inputs_of_many_columns_are_reduced_to_principal_components() -> None:
    """I(X;Y) = ½ Σ log(1 + s²) for Y = X₁₋₃ + noise; 297 further columns of small noise do not change it."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1500, 300, generator=generator) * torch.tensor([2.0] * 3 + [0.1] * 297)
    y = x[:, :3] + torch.randn(1500, 3, generator=generator)
    score = InputInformation(Gaussian(), components=8).score(x, y)
    assert score.value == pytest.approx(1.5 * math.log(5), abs=0.15)
    assert score.settings["components"] == 8

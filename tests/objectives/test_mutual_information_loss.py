"""The loss against its definition written out in loops, torch's cross-entropy, and a mixture of known information."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infoflow import data as datasets
from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.objectives import MutualInformationLoss
from infoflow.theory import GaussianMixture


def data(n: int = 24, classes: int = 5, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(n, classes, generator=generator, dtype=torch.float64)
    return logits.requires_grad_(), torch.randint(classes, (n,), generator=generator)


def definition(logits: Tensor, targets: Tensor, weight: float, sample_weights: Tensor | None = None) -> Tensor:
    """−mean log q(y|x) − λ Σ_c p̂_c log q̄_c, with plain softmax and loops over the samples of a weighted mean."""
    q = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)
    w = torch.ones(len(q), dtype=q.dtype) if sample_weights is None else sample_weights
    loss = torch.zeros((), dtype=q.dtype)
    p_hat, q_bar = torch.zeros_like(q[0]), torch.zeros_like(q[0])
    for i in range(len(q)):
        loss = loss - w[i] * (targets[i] * torch.log(q[i])).sum()
        p_hat = p_hat + w[i] * targets[i]
        q_bar = q_bar + w[i] * q[i]
    return (loss - weight * (p_hat * torch.log(q_bar / w.sum())).sum()) / w.sum()


def same(one: Tensor, other: Tensor, logits: Tensor) -> None:
    """Value and gradient agree."""
    torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
    for a, b in zip(*(torch.autograd.grad(value, logits, retain_graph=True) for value in (one, other)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("weight", [0.0, 0.5, 50.0])
def test_value_and_gradient_are_those_of_the_definition(weight: float) -> None:
    logits, labels = data()
    one_hot = nn.functional.one_hot(labels, 5).double()
    same(MutualInformationLoss(weight)(logits, labels), definition(logits, one_hot, weight), logits)


def test_gradients_pass_finite_differences() -> None:
    logits, labels = data(6, 3)
    settings = {"weight": [1.0, 2.0, 0.5], "label_smoothing": 0.1, "ignore_index": 0}
    for regularizer, reduction in itertools.product(("cross-entropy", "divergence"), ("mean", "sum", "none")):
        loss = MutualInformationLoss(5.0, regularizer=regularizer, reduction=reduction, **settings)
        assert torch.autograd.gradcheck(lambda z, loss=loss: loss(z, labels), logits)


@pytest.mark.filterwarnings("ignore:the batch holds one class only")
@pytest.mark.parametrize("settings", [{}, {"weight": [0.5, 2.0, 3.0, 1.0, 1.0]}, {"label_smoothing": 0.2}])
def test_one_sample_gives_one_plus_weight_times_cross_entropy(settings: dict[str, object]) -> None:
    logits, labels = data(1)
    weights = torch.tensor(settings["weight"], dtype=torch.float64) if "weight" in settings else None
    smoothing = float(settings.get("label_smoothing", 0.0))  # type: ignore[arg-type]
    expected = nn.functional.cross_entropy(logits, labels, weight=weights, label_smoothing=smoothing)
    same(MutualInformationLoss(50.0, **settings)(logits, labels), 51 * expected, logits)
    # What torch takes without a batch axis.
    same(MutualInformationLoss(50.0, **settings)(logits[0], labels[0]), 51 * expected, logits)


SETTINGS = [
    {},
    {"weight": [0.5, 2.0, 0.0, 1.0, 1.0]},
    {"label_smoothing": 0.2},
    {"weight": [0.5, 2.0, 3.0, 1.0, 1.0], "label_smoothing": 0.1},
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("kind", ["classes", "ignored", "probabilities"])
def test_without_weight_it_is_torchs_cross_entropy(settings: dict[str, object], kind: str, reduction: str) -> None:
    logits, labels = data()
    logits = logits.detach().reshape(4, 2, 3, 5).movedim(-1, 1).requires_grad_()  # (4, C, 2, 3)
    labels = labels.reshape(4, 2, 3)
    if kind == "ignored":
        labels = torch.where(labels == 1, -100, labels)
    if kind == "probabilities":
        generator = torch.Generator().manual_seed(1)
        labels = torch.rand(logits.shape, generator=generator, dtype=torch.float64).softmax(1)
    options = dict(settings)
    weights = options.pop("weight", None)
    theirs = nn.CrossEntropyLoss(
        torch.tensor(weights, dtype=torch.float64) if weights else None, reduction=reduction, **options
    )(logits, labels)
    mine = MutualInformationLoss(0.0, reduction=reduction, **settings)(logits, labels)
    assert mine.shape == theirs.shape
    torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-12)


def test_class_weights_ignored_labels_and_probabilities_are_those_of_the_definition() -> None:
    logits, labels = data()
    class_weights = torch.tensor([0.5, 2.0, 3.0, 1.0, 1.0], dtype=torch.float64)
    one_hot = nn.functional.one_hot(labels, 5).double()
    loss = MutualInformationLoss(5.0, weight=class_weights)
    same(loss(logits, labels), definition(logits, one_hot, 5.0, class_weights[labels]), logits)
    kept = labels != 1
    ignoring = MutualInformationLoss(5.0, ignore_index=1)
    same(ignoring(logits, labels), definition(logits[kept], one_hot[kept], 5.0), logits)
    soft = torch.rand(24, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64).softmax(1)
    same(MutualInformationLoss(5.0)(logits, soft), definition(logits, soft, 5.0), logits)
    same(MutualInformationLoss(5.0)(logits, one_hot), MutualInformationLoss(5.0)(logits, labels), logits)


def test_reductions_agree() -> None:
    logits, labels = data()
    mean, total, single = (MutualInformationLoss(5.0, reduction=r)(logits, labels) for r in ("mean", "sum", "none"))
    assert single.shape == (24,)
    same(single.mean(), mean, logits)
    same(total / 24, mean, logits)


def test_divergence_is_the_same_less_the_label_entropy() -> None:
    logits, labels = data()
    frequencies = torch.bincount(labels).double() / 24
    entropy = -(frequencies * frequencies.log()).sum()
    whole, divergence = (
        MutualInformationLoss(7.0, regularizer=r)(logits, labels) for r in ("cross-entropy", "divergence")
    )
    same(divergence, whole - 7.0 * entropy, logits)
    perfect = 100 * nn.functional.one_hot(labels, 5).double()
    assert MutualInformationLoss(7.0, regularizer="divergence")(perfect, labels).item() == pytest.approx(0, abs=1e-12)


def test_terms_are_the_entropies_and_what_is_between_them() -> None:
    logits, labels = data()
    q = logits.detach().softmax(1).numpy()
    p_hat = np.bincount(labels.numpy(), minlength=5) / 24
    conditional = -np.log(q[np.arange(24), labels.numpy()]).mean()
    label_entropy = -(p_hat * np.log(q.mean(0))).sum()
    for settings in ({}, {"label_smoothing": 0.3}, {"regularizer": "divergence"}, {"reduction": "sum"}):
        objective = MutualInformationLoss(50.0, **settings)
        objective(logits, labels)
        terms = objective.terms
        assert terms["conditional_entropy"].item() == pytest.approx(conditional)
        assert terms["label_entropy"].item() == pytest.approx(label_entropy)
        assert terms["mutual_information"].item() == pytest.approx(label_entropy - conditional)
        divergence = label_entropy + (p_hat * np.log(p_hat)).sum()
        assert terms["label_divergence"].item() == pytest.approx(divergence)
        assert not any(value.requires_grad for value in terms.values())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("settings", [{}, {"decay": 0.9, "classes": 4}, {"regularizer": "divergence"}])
def test_huge_logits_stay_finite(dtype: torch.dtype, settings: dict[str, object]) -> None:
    signs = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=4)))
    labels = torch.arange(16) % 4
    loss = MutualInformationLoss(**settings)
    for scale in (1e4, -1e4):
        logits = (scale * signs).to(dtype).requires_grad_()
        found = loss(logits, labels)
        found.backward()
        assert all(bool(torch.isfinite(value)) for value in (found, *loss.terms.values()))
        assert logits.grad is not None
        assert bool(torch.isfinite(logits.grad).all())


# --- the marginal averaged over batches


def test_the_first_averaged_batch_is_that_batch() -> None:
    logits, labels = data()
    for smoothing in (0.0, 0.1):
        averaged = MutualInformationLoss(5.0, decay=0.9, classes=5, label_smoothing=smoothing)
        plain = MutualInformationLoss(5.0, label_smoothing=smoothing)
        same(averaged(logits, labels), plain(logits, labels), logits)


def test_averages_are_weighted_means_of_the_batches() -> None:
    loss = MutualInformationLoss(5.0, decay=0.8, classes=5)
    batches = [data(6, seed=seed) for seed in range(4)]
    for logits, labels in batches:
        loss(logits, labels)
        terms = loss.terms
    weights = np.array([0.8 ** (3 - k) for k in range(4)])
    weights /= weights.sum()
    q_bar = sum(w * z.detach().softmax(1).mean(0).numpy() for w, (z, _) in zip(weights, batches, strict=True))
    p_bar = sum(w * np.bincount(y.numpy(), minlength=5) / 6 for w, (_, y) in zip(weights, batches, strict=True))
    assert terms["label_entropy"].item() == pytest.approx(-(p_bar * np.log(q_bar)).sum())
    # The gradient is −Σ (p̂ / q̄) ∇q̄ with the averages for p̂ and q̄.
    logits, labels = batches[-1]
    again = MutualInformationLoss(5.0, decay=0.8, classes=5)
    for z, y in batches[:-1]:
        again(z, y)
    cross_entropy = nn.functional.cross_entropy(logits, labels)
    expected = cross_entropy - 5.0 * (torch.tensor(p_bar / q_bar) * logits.softmax(1).mean(0)).sum()
    found = torch.autograd.grad(again(logits, labels), logits)[0]
    torch.testing.assert_close(found, torch.autograd.grad(expected, logits)[0], rtol=1e-9, atol=1e-12)


def test_averages_are_kept_in_training_only_and_saved() -> None:
    loss = MutualInformationLoss(5.0, decay=0.5, classes=5)
    first, second = data(seed=1), data(seed=2)
    loss(*first)
    state = {name: value.clone() for name, value in loss.state_dict().items()}
    loss.eval()
    value = loss(*second)
    assert all(torch.equal(value, state[name]) for name, value in loss.state_dict().items())
    other = MutualInformationLoss(5.0, decay=0.5, classes=5)
    other.load_state_dict(state)
    torch.testing.assert_close(other(*second), value, rtol=1e-6, atol=1e-6)


def test_single_samples_with_an_averaged_marginal_estimate_the_whole() -> None:
    # 400 samples one by one: the marginal settles, although each batch holds one class.
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(400, generator=generator, dtype=torch.float64)
    labels = torch.arange(400) % 2
    logits = torch.stack([torch.zeros(400, dtype=torch.float64), 2 * (x + 2.0 * labels - 1.0)], 1)
    loss = MutualInformationLoss(decay=0.99, classes=2)
    for i in range(400):
        loss(logits[i : i + 1], labels[i : i + 1])
        terms = loss.terms
    objective = MutualInformationLoss()
    objective(logits, labels)
    whole = objective.terms
    assert terms["label_entropy"].item() == pytest.approx(whole["label_entropy"].item(), abs=0.03)


# --- what it learns


@pytest.mark.parametrize("separation", [0.25, 1.0, 4.0])
def test_a_logistic_model_recovers_the_information_of_a_gaussian_mixture(separation: float) -> None:
    truth = GaussianMixture(math.sqrt(separation), 1.0).mutual_information()
    generator = torch.Generator().manual_seed(0)
    n, dim = 40_000, 3
    labels = torch.randint(2, (n,), generator=generator)
    mean = math.sqrt(separation / dim) * torch.ones(dim)
    x = torch.randn(n, dim, generator=generator) + mean * (2.0 * labels[:, None] - 1)
    train, test = slice(None, n // 2), slice(n // 2, None)
    model = nn.Linear(dim, 2)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    loss = MutualInformationLoss(50.0)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value: Tensor = loss(model(x[train]), labels[train])
        value.backward()
        return value

    optimizer.step(closure)
    with torch.no_grad():
        for part in (train, test):
            loss(model(x[part]), labels[part])
            terms = loss.terms
            assert terms["mutual_information"].item() == pytest.approx(truth, abs=0.02)


# --- what users get wrong


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 5, 1, 2]), "^labels must"),
        (torch.tensor([0, -1, 1, 2]), "^labels must"),
        (torch.tensor([0.0, 1.0, 2.0, 3.0]), "^labels must"),
        (torch.zeros(4, 5, dtype=torch.int64), "^labels must"),
        (torch.tensor([0, 1, 2]), "^labels must"),
        (torch.full((4, 5), 0.3), "^labels must"),
        (torch.tensor([[2.0, -1.0, 0.0, 0.0, 0.0]] * 4), "^labels must"),
        (torch.full((4, 5), math.nan), "^labels must"),
        ([0, 1, 2, 3], "^labels must"),
    ],
)
def test_bad_labels_are_said_in_one_line(labels: Tensor, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message) as caught:
        MutualInformationLoss()(torch.zeros(4, 5), labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (torch.tensor([[math.nan, 0.0], [0.0, 1.0]]), "^logits must"),
        (torch.tensor([[math.inf, 0.0], [0.0, -math.inf]]), "^logits must"),
        (torch.zeros(2, 1), "^logits must"),
        (torch.zeros(2, 2, dtype=torch.int64), "^logits must"),
        (torch.tensor(1.0), "^logits must"),
        (np.zeros((2, 2)), "^logits must"),
    ],
)
def test_bad_logits_are_said_in_one_line(logits: Tensor, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message) as caught:
        MutualInformationLoss()(logits, torch.tensor([0, 1]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"entropy_weight": -1.0}, "^entropy_weight must be"),
        ({"entropy_weight": math.nan}, "^entropy_weight must be"),
        ({"weight": 50.0}, r"^weight must be one number for each class, got 50.0. .*entropy_weight"),
        ({"weight": torch.tensor(50.0)}, r"^weight must be one number for each class, .*entropy_weight"),
        ({"label_smoothing": 1.5}, "^label_smoothing must"),
        ({"weight": [1.0, -1.0]}, "^weight must"),
        ({"weight": [0.0, 0.0]}, "^weight must"),
        ({"ignore_index": 0.5}, "^ignore_index must"),
        ({"decay": 1.0, "classes": 3}, "^decay must"),
        ({"decay": 0.9}, "^classes must"),
        ({"decay": 0.9, "classes": 3, "reduction": "none"}, "^reduction must"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        MutualInformationLoss(**settings)


def accuracy_on_digits(criterion: nn.Module) -> float:
    """Held-out accuracy of a network trained at a learning rate that suits cross-entropy."""
    inputs, labels = datasets.digits().tensors()
    held_out = torch.arange(len(labels)) % 4 == 0
    x, y = inputs[~held_out], labels[~held_out]
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(8):
        for batch in torch.randperm(len(x)).split(64)[:-1]:
            optimizer.zero_grad()
            criterion(model(x[batch]), y[batch]).backward()
            optimizer.step()
    return float((model(inputs[held_out]).argmax(1) == labels[held_out]).float().mean())


def test_the_default_weight_trains_an_ordinary_network_where_the_published_one_collapses() -> None:
    assert MutualInformationLoss(entropy_weight="published").entropy_weight == 50.0
    usual = accuracy_on_digits(nn.CrossEntropyLoss())
    assert usual > 0.9
    assert accuracy_on_digits(MutualInformationLoss()) > usual - 0.02
    assert accuracy_on_digits(MutualInformationLoss("published")) < 0.5


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'mean'"):
        MutualInformationLoss(reduction="means")
    with pytest.raises(UnknownName, match="Did you mean 'published'"):
        MutualInformationLoss("publish")
    with pytest.raises(UnknownName, match="Did you mean 'divergence'"):
        MutualInformationLoss(regularizer="divergent")


def test_settings_that_do_not_fit_the_logits_are_refused() -> None:
    logits, labels = torch.zeros(4, 5), torch.zeros(4, dtype=torch.int64)
    with pytest.raises(InvalidArgument, match=r"^weight must be 5 numbers, one for each class, got 3"):
        MutualInformationLoss(weight=[1, 2, 3])(logits, labels)
    with pytest.raises(InvalidArgument, match=r"^logits must be of 3 classes .*, got 5"):
        MutualInformationLoss(decay=0.9, classes=3)(logits, labels)
    with pytest.raises(InvalidArgument, match=r"^ignore_index must be negative .*, got 2"):
        MutualInformationLoss(ignore_index=2)(logits, torch.full((4, 5), 0.2))


def test_one_class_or_no_label_is_warned_of() -> None:
    logits = torch.zeros(4, 5, requires_grad=True)
    with pytest.warns(UserWarning, match="the batch holds one class only"):
        MutualInformationLoss()(logits[:1], torch.tensor([3]))
    with pytest.warns(UserWarning, match="the batch holds one class only"):
        MutualInformationLoss()(logits, torch.tensor([3, 3, 3, 3]))
    MutualInformationLoss(check=False)(logits, torch.tensor([3, 3, 3, 3]))
    for settings in ({}, {"decay": 0.9, "classes": 5}, {"reduction": "sum"}, {"regularizer": "divergence"}):
        loss = MutualInformationLoss(**settings)
        with pytest.warns(UserWarning, match="no label of the batch counts"):
            value = loss(logits, torch.full((4,), -100))
        assert value.item() == 0
        assert torch.autograd.grad(value, logits)[0].tolist() == torch.zeros(4, 5).tolist()
        assert math.isfinite(loss(logits, torch.tensor([0, 1, 2, 3])).item())


def test_finite_logits_whose_sum_overflows_are_fine() -> None:
    logits = torch.tensor([[3e38, 2.9e38], [2.9e38, 3e38]])
    assert math.isfinite(MutualInformationLoss(entropy_weight=0.0)(logits, torch.tensor([0, 1])).item())
    with pytest.raises(InvalidArgument, match=r"^labels must be from 0 to 1 or ignore_index .*, got 2"):
        MutualInformationLoss()(logits, torch.tensor([0, 2]))


def test_small_integer_labels_are_classes_too() -> None:
    logits, labels = data()
    expected = MutualInformationLoss()(logits, labels)
    for dtype in (torch.uint8, torch.int16, torch.int32):
        torch.testing.assert_close(MutualInformationLoss()(logits, labels.to(dtype)), expected)

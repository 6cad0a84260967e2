"""The recipes near the published scale: what they contain, and that an interrupted training continues."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from infoflow_reproductions import Context, experiments
from infoflow_reproductions.milc import classifier
from infoflow_reproductions.milc.classifier import Training


def test_recipe_has_the_settings_of_the_paper() -> None:
    """Section 5: batches of 256, 100 epochs, SGD at a constant 0.001 with momentum 0.9, λ = 50, no weight decay."""
    recipe = experiments("milc")["cifar"].recipe("cpu-published")
    base = recipe.base
    assert (base.batch_size, base.epochs, base.learning_rate, base.weight) == (256, 100, 1e-3, 50.0)
    assert (base.augment, base.weight_decay, classifier.MOMENTUM, base.data) == (False, 0.0, 0.9, "cifar10")
    runs = {(each.loss, each.learning_rate, each.weight) for each in recipe.trainings()}
    assert runs == {
        (loss, rate, weight) for loss, weight in (("ce", 0.0), ("mil", 50.0), ("mil", 0.5)) for rate in (1e-3, 1e-2)
    }
    assert len(experiments("milc")["cifar"].trials(recipe)) == 18
    assert {each.stem for each in recipe.trainings()} == {"imagenet"}


def test_flow_recipe_has_the_settings_of_the_paper() -> None:
    """Section 4.2: images of 32×32 pixels, learning rate 0.01, four fifths of MNIST's training set."""
    recipe = experiments("ifm")["table3"].recipe("cpu-published")
    assert (recipe.size, recipe.learning_rate, recipe.counts[0], recipe.width) == (32, 0.01, 48_000, 1.0)
    epochs = {
        trial.arguments["method"]: trial.arguments["epochs"] for trial in experiments("ifm")["table3"].trials(recipe)
    }
    assert epochs == {"baseline": 20, "cross-entropy-4": 10, "ifm": 20, "exchange": 10, "ours": 10}


def test_interrupted_training_continues_within_the_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Training("digits32", "cnn", "mil", 0, 4, 64, 0.05, size=500, weight=0.5, channels_last=True)
    whole = classifier.run(chosen, context=Context(None, "cpu", tmp_path / "whole", False))

    monkeypatch.setattr("infoflow.training.checkpoint.SECONDS_BETWEEN", 0.0)
    measured, epochs = classifier._measured, []

    def fails_late(*given: object) -> dict[str, float]:
        epochs.append(1)
        if len(epochs) == 4:
            raise KeyboardInterrupt
        return measured(*given)  # type: ignore[arg-type]

    context = Context(None, "cpu", tmp_path / "part", False)
    with monkeypatch.context() as patch:
        patch.setattr(classifier, "_measured", fails_late)
        with pytest.raises(KeyboardInterrupt):
            classifier.run(chosen, context=context)
    assert context.checkpoint.exists()
    epochs.clear()

    def counted(*given: object) -> dict[str, float]:
        epochs.append(1)
        return measured(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(classifier, "_measured", counted)
    assert classifier.run(chosen, context=context) == whole
    assert len(epochs) == 2  # of the third and fourth epoch; the first two were not trained again


def test_channels_last_changes_results_by_rounding_alone(tmp_path: Path) -> None:
    chosen = Training("digits32", "cnn", "ce", 0, 1, 64, 0.01, size=300)
    one = classifier.run(chosen, context=Context(None, "cpu", tmp_path / "a", False))
    other = classifier.run(replace(chosen, channels_last=True), context=Context(None, "cpu", tmp_path / "b", False))
    assert other["test_conditional_entropy"] == pytest.approx(one["test_conditional_entropy"], rel=1e-3)


def test_convolutional_network_on_mnist_has_the_settings_of_the_paper() -> None:
    """'Experimental Results': batches of 512, 77 epochs, 3 trials; 10 and 20 kernels, 50 and 10 units (appendix)."""
    recipe = experiments("milc")["mnist-cnn"].recipe("full")
    base = recipe.base
    assert (base.data, base.batch_size, base.epochs, base.learning_rate, base.weight) == ("mnist", 512, 77, 1e-3, 50.0)
    assert (recipe.networks, recipe.seeds, recipe.smaller, base.size) == (("cnn",), 3, "", 60_000)
    assert set(recipe.published("cnn")) == {"ce", "lsr", "cp", "lc", "mil"}
    network = classifier.network_of("cnn", (1, 28), stem="small", seed=0)
    shapes = [tuple(parameter.shape) for parameter in network.parameters() if parameter.ndim > 1]
    assert [shape[0] for shape in shapes] == [10, 20, 50, 10]
    found = experiments("milc")["mnist-cnn"].recipe("cpu")
    steps = found.base.epochs * -(-found.base.size // found.base.batch_size)
    assert f"{steps} steps of {found.base.batch_size} images" in found.smaller
    assert f"{77 * -(-60_000 // 512):,} of 512" in found.smaller


@pytest.mark.parametrize("name", ["batch-size-cifar", "weight-cifar"])
def test_figure_5_on_cifar_has_the_settings_of_table_3(name: str) -> None:
    """'Experimental Results', last paragraph: all but the batch size or λ is as in the table; B = 256 for CIFAR-10."""
    base = experiments("milc")[name].recipe("full").base
    assert (base.data, base.batch_size, base.epochs, base.learning_rate, base.weight) == (
        ("cifar10", 256, 100, 1e-3, 50.0)
    )
    assert (base.augment, base.weight_decay, base.network) == (False, 0.0, "resnet18")
    for scale in ("smoke", "cpu", "full"):
        recipe = experiments("milc")[name].recipe(scale)
        assert recipe.base.batch_size in getattr(recipe, "batch_sizes", (recipe.base.batch_size,))
        assert recipe.base.weight in getattr(recipe, "weights", (recipe.base.weight,))

"""Claims and figures of a paper's experiments, as numbers and words for its paragraph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from infoflow.core.errors import MissingData
from infoflow_reproductions.harness.commands import is_earlier
from infoflow_reproductions.harness.findings import Claim, Verdict
from infoflow_reproductions.harness.paper_page import within_paper
from infoflow_reproductions.harness.records import claim_of, corrected
from infoflow_reproductions.harness.seeds import how_many, seed_count

GAIN = ("a gain", "a loss")
"""What a difference in favor of a method and one against it are called."""
CHANGE = ("significant", "significantly the opposite")
"""What a change in the stated direction and one in the other are called."""


class Found:
    """Claims and figures of a paper's experiments, by a part of their text.

    Parameters
    ----------
    summaries
        Contents of the experiments' results.json, each with its `folder`, whose last part names it here.

    Raises
    ------
    MissingData
        By every method but `has`, if an experiment, claim, figure or setting is not there.
    """

    def __init__(self, summaries: Sequence[Mapping[str, Any]]) -> None:
        self._by_name = {within_paper(one): one for one in summaries}
        claims = [(name, claim_of(record)) for name, one in self._by_name.items() for record in one["claims"]]
        by_holm = corrected([claim for _, claim in claims])
        self._claims = [(name, claim, holm) for (name, claim), holm in zip(claims, by_holm, strict=True)]

    def has(self, experiment: str, text: str = "") -> bool:
        """Return whether an experiment has results, and among them a claim.

        Parameters
        ----------
        experiment
            Name of its folder, such as "cifar" or, near the published size, "cifar-cpu-published".
        text
            A part of the claim's text.

        Returns
        -------
        bool
            True if it has.
        """
        return any(name == experiment and text in claim.text for name, claim, _ in self._claims)

    def difference(self, experiment: str, text: str) -> str:
        """Return the mean difference and interval of a claim.

        Parameters
        ----------
        experiment
            Name of the experiment.
        text
            A part of the claim's text.

        Returns
        -------
        str
            Such as "0.89 [0.49, 1.3]", or "0.89 (one seed)" where the seeds are too few for an interval.
        """
        sample = self._claim(experiment, text)[0].sample
        if sample is None:
            return "no figure"
        few = self.too_few(experiment, text)
        if few:
            return f"{sample.mean:.3g} ({few})"
        low, high = sample.interval
        return f"{sample.mean:.3g} [{low:.3g}, {high:.3g}]"

    def too_few(self, experiment: str, text: str) -> str:
        """Return the number of seeds of a claim if it is too small for an interval, so that it shows no significance.

        Parameters
        ----------
        experiment
            Name of the experiment.
        text
            A part of the claim's text.

        Returns
        -------
        str
            Such as "one seed" or, where the planned number has not run, "2 seeds"; empty if there are enough.
        """
        sample = self._claim(experiment, text)[0].sample
        if sample is None or not sample.too_few:
            return ""
        return "one seed" if sample.n == 1 else seed_count(sample.n)

    def better(self, experiment: str, text: str) -> bool | None:
        """Return whether the difference of a claim lies above its threshold or below it.

        Parameters
        ----------
        experiment
            Name of the experiment.
        text
            A part of the claim's text.

        Returns
        -------
        bool or None
            None if the interval contains the threshold.
        """
        sample = self._claim(experiment, text)[0].sample
        return None if sample is None else sample.above

    def lasting(self, experiment: str, text: str) -> bool:
        """Return whether a claim's verdict is the same once the number of claims of the paper is taken into account.

        Parameters
        ----------
        experiment
            Name of the experiment.
        text
            A part of the claim's text.

        Returns
        -------
        bool
            False where Holm's method makes it inconclusive.
        """
        claim, holm = self._claim(experiment, text)
        return holm is None or holm == claim.verdict

    def outcome(self, experiment: str, text: str, words: tuple[str, str] = GAIN) -> str:
        """Return the difference of a claim and what it amounts to.

        Parameters
        ----------
        experiment
            Name of the experiment.
        text
            A part of the claim's text.
        words
            What a difference significantly above and below its threshold is called.

        Returns
        -------
        str
            Such as "0.89 [0.49, 1.3] (a gain; inconclusive with Holm)"; of too few seeds only the difference.
        """
        if self.too_few(experiment, text):
            return self.difference(experiment, text)
        better = self.better(experiment, text)
        called = "not significant" if better is None else words[0] if better else words[1]
        if better is not None and not self.lasting(experiment, text):
            called += "; inconclusive with Holm"
        return f"{self.difference(experiment, text)} ({called})"

    def verdict(self, experiment: str, text: str) -> str:
        """Return the verdict on a claim.

        Parameters
        ----------
        experiment
            Name of the experiment.
        text
            A part of the claim's text.

        Returns
        -------
        str
            The verdict.
        """
        return str(self._claim(experiment, text)[0].verdict)

    def verdicts(self, text: str) -> Counter[Verdict]:
        """Return how often each verdict occurs among the claims of all experiments whose text contains a part.

        Parameters
        ----------
        text
            A part of the claims' texts.

        Returns
        -------
        Counter
            Number of claims by verdict.
        """
        return Counter(claim.verdict for _, claim, _ in self._claims if text in claim.text)

    def figure(self, experiment: str, what: str, digits: str = ".1f") -> str:
        """Return the mean of a figure.

        Parameters
        ----------
        experiment
            Name of the experiment.
        what
            The figure's whole description.
        digits
            Format of the number.

        Returns
        -------
        str
            The mean over seeds.
        """
        return f"{float(self._figure(experiment, what)['found']):{digits}}"

    def published(self, experiment: str, what: str, digits: str = ".1f") -> str:
        """Return the published value of a figure.

        Parameters
        ----------
        experiment
            Name of the experiment.
        what
            The figure's whole description.
        digits
            Format of the number.

        Returns
        -------
        str
            The number.
        """
        published = self._figure(experiment, what).get("published")
        if published is None:
            raise MissingData(f"{experiment} has no published value of {what!r}.")
        return f"{float(published):{digits}}"

    def figures(self, experiment: str) -> list[str]:
        """Return the descriptions of an experiment's figures.

        Parameters
        ----------
        experiment
            Name of the experiment.

        Returns
        -------
        list of str
            In the order of the table.
        """
        return [str(row["what"]) for row in self._summary(experiment)["rows"]]

    def seeds(self, experiment: str) -> str:
        """Return the number of seeds of an experiment.

        Parameters
        ----------
        experiment
            Name of the experiment.

        Returns
        -------
        str
            Such as "3 seeds".
        """
        return how_many(self._summary(experiment)["settings"])

    def setting(self, experiment: str, name: str) -> Any:
        """Return a setting of an experiment, also of the part of its recipe that holds it.

        Parameters
        ----------
        experiment
            Name of the experiment.
        name
            Name of the setting.

        Returns
        -------
        object
            Its value.
        """
        settings = self._summary(experiment)["settings"]
        parts = [settings, *(value for value in settings.values() if isinstance(value, Mapping))]
        found = [part[name] for part in parts if name in part]
        if not found:
            raise MissingData(f"{experiment} has no setting {name!r}.")
        return found[0]

    def earlier(self, *experiments: str) -> str:
        """Return a sentence that names those of some experiments whose results are of an earlier recipe.

        Parameters
        ----------
        *experiments
            Names of the experiments.

        Returns
        -------
        str
            With a space before it; empty where there are none.
        """
        old = [name for name in experiments if name in self._by_name and is_earlier(self._by_name[name])]
        return f" Results of an earlier recipe: {', '.join(old)}." if old else ""

    def _claim(self, experiment: str, text: str) -> tuple[Claim, Verdict | None]:
        for name, claim, holm in self._claims:
            if name == experiment and text in claim.text:
                return claim, holm
        raise MissingData(f"{experiment} has no claim with {text!r}.")

    def _figure(self, experiment: str, what: str) -> Mapping[str, Any]:
        for row in self._summary(experiment)["rows"]:
            if row["what"] == what:
                figure: Mapping[str, Any] = row
                return figure
        raise MissingData(f"{experiment} has no figure {what!r}.")

    def _summary(self, experiment: str) -> Mapping[str, Any]:
        if experiment not in self._by_name:
            raise MissingData(f"{experiment} has no results. `infoflow reproduce` makes them.")
        return self._by_name[experiment]

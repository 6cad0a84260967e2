"""An experiment of a paper: its recipe at each scale, its trials and its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from infoflow.core.checks import choice
from infoflow.core.errors import InvalidArgument
from infoflow.core.provenance import machine, plain
from infoflow.plane.run_folder import open_run_folder
from infoflow.training import usable_device
from infoflow_reproductions.harness import page
from infoflow_reproductions.harness.findings import Claim, Findings
from infoflow_reproductions.harness.lists import Needs, check_lists, lists_of
from infoflow_reproductions.harness.reductions import reduction, states_reduction
from infoflow_reproductions.harness.row_claims import Figures, figures_of
from infoflow_reproductions.harness.running import RunOptions, agree, digest, run_together
from infoflow_reproductions.harness.trial import Results, Trial

CPU_PUBLISHED = "cpu-published"
"""Scale of experiments that reach the published sizes in hours on two processors, for the settings that decide."""
SCALES = ("smoke", "cpu", CPU_PUBLISHED, "full")
"""A test of seconds, minutes on two processors, hours on two processors where that reaches the published sizes, and the
published scale. Every experiment has all of them but the third."""

KIND = "infoflow reproduction"


@dataclass(frozen=True)
class Experiment:
    """One experiment of a paper.

    Parameters
    ----------
    paper
        Name of the paper.
    name
        Name of the experiment within the paper.
    title
        Title on pages.
    recipes
        For each scale a frozen dataclass of settings, among them the number of `seeds`.
    trials
        Function from a recipe to its trials.
    report
        Function from a recipe and the trials' results to the findings.
    sentences
        For each published claim a part of its text and the place of its sentence in the paper; the first part that
        the text contains counts.
    smaller
        Function from a recipe to what is smaller than published; by default what differs from the recipe "full".
    of_full
        Whether `smaller` compares with the recipe "full" and not with the paper.
    of_figures
        Function from the table's figures to further claims of the paper.
    remarks
        Function from the stored settings of a run to notes that are added when results are collected, such as what has
        changed in the recipe since.
    superseded
        Parts of the texts of claims that earlier versions stored and today's rules no longer make.
    own
        Parts of the texts of claims that earlier versions stored as the paper's and that are this reproduction's.
    planned_seeds
        Number of seeds that was planned for a scale, where the recipe's was chosen after results had been seen.
    needs
        For lists of the recipe, how many entries or which ones the report needs.
    """

    paper: str
    name: str
    title: str
    recipes: Mapping[str, Any]
    trials: Callable[[Any], Sequence[Trial]]
    report: Callable[[Any, Results], Findings]
    sentences: Sequence[tuple[str, str]] = ()
    smaller: Callable[[Any], str] | None = None
    of_figures: Callable[[Figures], Sequence[Claim]] | None = None
    remarks: Callable[[Mapping[str, Any]], Sequence[str]] | None = None
    superseded: Sequence[str] = ()
    own: Sequence[str] = ()
    planned_seeds: Mapping[str, int] = field(default_factory=dict)
    of_full: bool = False
    needs: Needs = field(default_factory=dict)

    def planned(self, scale: str, seeds: int | None) -> dict[str, int]:
        """Return the number of seeds that was planned, where a run has another one.

        Parameters
        ----------
        scale
            Scale of the run.
        seeds
            Its number of seeds.

        Returns
        -------
        dict
            Empty, or the number as `planned_seeds`.
        """
        usual = getattr(self.recipes.get(scale), "seeds", None)
        planned = self.planned_seeds.get(scale, usual)
        return {} if planned is None or planned == seeds else {"planned_seeds": planned}

    def further(self, figures: Figures) -> list[Claim]:
        """Return the claims that follow from the table's figures, marked as such.

        Parameters
        ----------
        figures
            Figures by name.

        Returns
        -------
        list of Claim
            Empty for an experiment without such claims.
        """
        claims = self.of_figures(figures) if self.of_figures else []
        return [replace(claim, of_figures=True) for claim in claims]

    def recipe(self, scale: str) -> Any:
        """Return the recipe of a scale.

        Parameters
        ----------
        scale
            One of `SCALES`.

        Returns
        -------
        dataclass
            The recipe.

        Raises
        ------
        UnknownName
            If the experiment has no such scale.
        """
        return self.recipes[choice(scale, "scale", self.recipes)]

    def place(self, text: str) -> str:
        """Return where the paper states a claim.

        Parameters
        ----------
        text
            The claim.

        Returns
        -------
        str
            Place of the sentence; empty if the experiment does not know it.
        """
        return next((place for part, place in self.sentences if part in text), "")

    def reduced(self, recipe: Any) -> str:
        """Return what is smaller in a recipe than in the paper.

        Parameters
        ----------
        recipe
            The recipe.

        Returns
        -------
        str
            The reductions; empty at the published scale.
        """
        return reduction(recipe, self.recipes.get("full", recipe)) if self.smaller is None else self.smaller(recipe)

    def compared_with(self, recipe: Any) -> str:
        """Return what `reduced` compares a recipe with.

        Parameters
        ----------
        recipe
            The recipe.

        Returns
        -------
        str
            "paper" where the experiment states what is smaller, and "full" where that follows from the full recipe.
        """
        states = states_reduction(recipe) if self.smaller is None else not self.of_full
        return "paper" if states else "full"


@dataclass(frozen=True)
class Reproduction:
    """A finished experiment: its findings and the files that hold them.

    Parameters
    ----------
    experiment
        The experiment.
    scale
        Its scale.
    recipe
        The recipe that was run.
    findings
        What was found.
    folder
        Folder of the files.
    files
        Paths by file name.
    provenance
        Versions, device, time and run time.
    """

    experiment: Experiment
    scale: str
    recipe: Any
    findings: Findings
    folder: Path
    files: Mapping[str, Path]
    provenance: Mapping[str, Any]

    def __str__(self) -> str:
        return page.as_text(self.findings)


class Plan(NamedTuple):
    """An experiment, the recipe to run and the folder of its results.

    Parameters
    ----------
    experiment
        The experiment.
    recipe
        Its settings.
    folder
        Folder to write to.
    """

    experiment: Experiment
    recipe: Any
    folder: Path


def reproduce(
    experiment: Experiment,
    scale: str,
    folder: str | Path,
    options: RunOptions | None = None,
    *,
    recipe: Any = None,
) -> Reproduction:
    """Run an experiment and write its table, claims, pictures and page to a folder.

    Parameters
    ----------
    experiment
        The experiment.
    scale
        One of `SCALES`.
    folder
        Folder to write to.
    options
        How the trials run, and whether a run in the folder is resumed or replaced. A resumed run may have another
        number of seeds and lists with other entries, if no stored result is of other settings; the rest must agree.
    recipe
        Settings that replace those of the scale.

    Returns
    -------
    Reproduction
        The findings, with versions, device, run time and every setting.

    Raises
    ------
    UnknownName
        If the experiment has no such scale.
    InvalidArgument
        If the folder holds something else or a run with other settings, or a list of the recipe lacks what the report
        needs.
    BrokenStore
        If a stored result cannot be read.
    MissingData
        If a data set is missing.
    """
    chosen = experiment.recipe(scale) if recipe is None else recipe
    (done,) = reproduce_together([Plan(experiment, chosen, Path(folder))], scale, options)
    return done


def reproduce_together(plans: Sequence[Plan], scale: str, options: RunOptions | None = None) -> Iterator[Reproduction]:
    """Run several experiments, whose trials share one pool of processes.

    Parameters
    ----------
    plans
        Experiments with recipes and folders. All folders are checked before anything runs.
    scale
        One of `SCALES`.
    options
        How the trials run, as in `reproduce`.

    Returns
    -------
    iterator of Reproduction
        Each experiment as soon as it is done.

    Raises
    ------
    InvalidArgument
        If a folder holds something else or a run with other settings, or a list of a recipe lacks what its report
        needs; nothing has run then.
    BrokenStore
        If a stored result cannot be read.
    MissingData
        If a data set is missing.

    Notes
    -----
    The number of seeds is that of the scale's recipe, or of the experiment's `planned_seeds`. With another number the
    results say so, and claims are judged by intervals that are valid at any number of seeds.
    """
    options = options or RunOptions()
    where = usable_device(options.device)
    settings = [
        {
            "paper": plan.experiment.paper,
            "experiment": plan.experiment.name,
            "scale": scale,
            **plain(asdict(plan.recipe)),
            **plan.experiment.planned(scale, getattr(plan.recipe, "seeds", None)),
        }
        for plan in plans
    ]
    groups = [(_trials(plan), plan.folder / "trials") for plan in plans]
    for plan, its_settings, group in zip(plans, settings, groups, strict=True):
        # Entries of lists are trials of their own, so that others may follow, unless a stored result would be replaced.
        lists = lists_of(its_settings) if options.resume and agree(*group) else []
        open_run_folder(
            plan.folder,
            KIND,
            its_settings,
            resume=options.resume,
            overwrite=options.overwrite,
            may_differ=("seeds", "planned_seeds", *lists),
        )
    for index, results in run_together(groups, replace(options, device=str(where))):
        experiment, recipe, folder = plans[index]
        findings = experiment.report(recipe, results)
        findings = replace(findings, claims=[*findings.claims, *experiment.further(figures_of(findings.rows))])
        findings = findings.placed(
            experiment.place, reduced=experiment.reduced(recipe), anytime="planned_seeds" in settings[index]
        )
        provenance = {
            **machine(),
            "device": page.device_name(where),
            "jobs": options.n_jobs,
            "trials": len(results),
            "trial_seconds": round(results.seconds, 1),
            "recipe": digest(groups[index][0]),
            "reduced_from": experiment.compared_with(recipe),
        }
        files = page.write(experiment.title, settings[index], findings, results, provenance, folder)
        yield Reproduction(experiment, scale, recipe, findings, folder, files, provenance)


def _trials(plan: Plan) -> Sequence[Trial]:
    """Return the trials of a plan whose report is possible."""
    check_lists(plan.recipe, plan.experiment.needs)
    trials = plan.experiment.trials(plan.recipe)
    if not trials:
        empty = ", ".join(each.name for each in fields(plan.recipe) if getattr(plan.recipe, each.name) == ())
        raise InvalidArgument("recipe", "one with trials", got_text=f"empty lists: {empty}" if empty else "none")
    return trials

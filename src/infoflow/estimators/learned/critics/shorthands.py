"""`Neural` under the names of the methods: the same estimator with the method's bound."""

from __future__ import annotations

from dataclasses import dataclass

from infoflow.estimators.learned.critics.estimator import Neural


@dataclass(frozen=True)
class InfoNCE(Neural):
    """`Neural` with InfoNCE: low variance, at most log of the candidates. van den Oord et al. (2018).

    >>> InfoNCE().bound
    'infonce'
    """

    bound: str = "infonce"


@dataclass(frozen=True)
class AnchoredInfoNCE(Neural):
    """`Neural` with InfoNCE and an anchor class: an estimate without InfoNCE's ceiling. Ryu et al. (2025).

    >>> AnchoredInfoNCE().bound
    'anchored_infonce'
    """

    bound: str = "anchored_infonce"


@dataclass(frozen=True)
class DonskerVaradhan(Neural):
    """`Neural` with Donsker and Varadhan's bound, its gradient as it is. Donsker and Varadhan (1983).

    >>> DonskerVaradhan().bound
    'donsker_varadhan'
    """

    bound: str = "donsker_varadhan"


@dataclass(frozen=True)
class MINE(Neural):
    """`Neural` with Donsker and Varadhan's bound and MINE's corrected gradient. Belghazi et al. (2018).

    >>> MINE().bound
    'mine'
    """

    bound: str = "mine"


@dataclass(frozen=True)
class NWJ(Neural):
    """`Neural` with Nguyen, Wainwright and Jordan's bound: unbiased, of high variance. Nguyen et al. (2010).

    >>> NWJ().bound
    'nwj'
    """

    bound: str = "nwj"


@dataclass(frozen=True)
class JensenShannon(Neural):
    """`Neural` trained by Jensen–Shannon and read off as NWJ's bound. Poole et al. (2019).

    >>> JensenShannon().bound
    'jensen_shannon_mi'
    """

    bound: str = "jensen_shannon_mi"


@dataclass(frozen=True)
class SMILE(Neural):
    """`Neural` trained by Jensen–Shannon and read off with a clipped partition function. Song and Ermon (2020).

    >>> SMILE().bound
    'smile'
    """

    bound: str = "smile"


@dataclass(frozen=True)
class DIME(Neural):
    """`Neural` with the mean log density ratio that an f-divergence trains. Letizia et al. (2024).

    >>> DIME().bound
    'dime'
    """

    bound: str = "dime"

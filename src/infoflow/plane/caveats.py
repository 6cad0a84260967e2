"""What a plane drawn with each estimator can and can't show: the paragraph that stands beside the picture."""

from __future__ import annotations

# Keyed by the estimator's class name, which is how its label in the plane's table begins.
_CAVEATS = {
    "Binning": (
        "Each activation is rounded to a bin, and what is drawn belongs to the rounded network. A "
        "deterministic layer usually keeps all, or infinitely much, of its input, so no finite "
        "sample can show a true I(X;T); drawn instead is H(Q(T)), the plug-in entropy of the "
        "rounded activations. It says how many of the N probe inputs the bins still tell apart, "
        "which is a fact of geometry: units that saturate, or activations that cluster, share "
        "bins, and H(Q(T)) falls although the layer itself lost nothing. The bin width and range "
        "decide as much as the network does: with bins of fixed range or number the sign of a "
        "compression can turn round, so look at several widths before you believe one. Open points "
        "have reached log N: every probe input has a bin of its own, I(T;Y) = H(Y) then follows "
        "for any labels, and neither number can be read as more than “at least”. Layers are "
        "rounded one by one, so the order that the data-processing inequality asks for can be "
        "violated."
    ),
    "AdaptiveBinning": (
        "Bin edges follow the activations: at each layer and snapshot they are placed so that the "
        "bins are equally filled. This keeps unbounded activations (ReLU) from being cut off or "
        "swallowed by one wide bin, and it makes the number insensitive to a mere rescaling of the "
        "layer. For the same reason it can't see a compression that is one of scale, and the ruler "
        "changes from one snapshot to the next: a rise or fall mixes the change of the layer with "
        "the change of its bins. What is drawn is H(Q(T)), a plug-in entropy of the rounded "
        "activations and not the I(X;T) of the network itself; open points have reached log N and "
        "mean “at least”. The data-processing order between layers isn't guaranteed."
    ),
    "KernelDensity": (
        "Gaussian noise of the stated variance is imagined on every activation, and the mutual "
        "information of that noisy layer, I(X;T+ε), is bounded by pairwise distances; the network "
        "that was trained has no such noise. Where the noise is small against the distances every "
        "input stands alone and the number sits at log N; where it is large everything blurs into "
        "one. A fall can therefore mean clusters drawing together, or merely a layer whose scale "
        "shrinks (and a rise, a scale that grows, as ReLU layers do). I(X;T+ε) is a true upper or "
        "lower bound at that variance; the drawn I(T+ε;Y) is a difference of two such bounds and "
        "itself bounds nothing. Compare both bounds and several variances: a trend that survives "
        "two decades of variance is worth a word. Open points are saturated and mean “at least”."
    ),
    "Discrete": (
        "Activations are taken as symbols exactly as they are, which is right for quantized or "
        "truly discrete layers and misleading for others: real-valued activations are nearly all "
        "different, so that I(X;T) stands at log N by construction. With few samples per symbol "
        "the plug-in entropy is too small and the plug-in I(T;Y) too large; the corrections "
        "(Miller–Madow, Grassberger, Chao–Shen, NSB, shrinkage) repair part of that and none of "
        "them can see symbols that never occurred. Open points have reached their ceiling and mean "
        "“at least”."
    ),
    "KSG": (
        "Distances to the k-th neighbor stand in for densities. That works well in few dimensions "
        "and for moderate dependence; it needs exponentially many samples for large information, "
        "and is biased low in the many dimensions of a wide layer. Between a layer and its own "
        "deterministic input the true value is infinite, so the level is a property of N and of "
        "the dimension, and only differences at equal dimension carry meaning. Repeated or "
        "clustered activations (dead ReLUs, saturated tanh) break its assumption of a density."
    ),
    "MatrixRenyi": (
        "A matrix-based Rényi entropy of normalized Gram matrices: a functional of the kernel that "
        "shares many properties with mutual information but is not Shannon's, and has no limit as "
        "N grows. Its level follows the kernel widths of input, layer and label, so compare within "
        "one setting only; a width that is tuned per snapshot moves the ruler along with the "
        "layer. The ceiling is log N of the batch that it was given, and in a small batch that is "
        "soon reached. Open points mean “at least”."
    ),
    "DependenceGraph": (
        "Activations are hashed to cells and an information is computed from the counts of the "
        "joint cells. It is fast and consistent when cells shrink as N grows, but at one N the "
        "cell size plays the part that the bin width plays in binning: for a deterministic layer "
        "it sets the level and can set the trend. Wide layers are projected to few dimensions "
        "first, which can hide structure. Likelihood ratios are clipped, so large values are cut. "
        "Open points have reached their ceiling and mean “at least”."
    ),
    "Gaussian": (
        "Only means and covariances are looked at. The number is exact where everything is jointly "
        "Gaussian, as in linear networks on Gaussian inputs, and elsewhere it is an information "
        "about linear dependence: nonlinear structure, clusters above all, is invisible. For a "
        "deterministic layer it diverges, and what is drawn is set by N, by the dimension and by "
        "any regularization."
    ),
    "SamplePropagation": (
        "Gaussian noise of the stated variance stands between the layer and what is measured, and "
        "the mutual information with that noisy layer is computed by Monte Carlo, almost without "
        "bias of its own for the samples given. When the network was trained with this noise, the "
        "picture is that of the network; when the noise is only imagined for the measurement, it "
        "is a ruler like a kernel's width, and a layer that grows or shrinks against it rises or "
        "falls without learning or forgetting anything. The probe inputs stand for all inputs, so "
        "I(X;T) can't pass log N: open points have reached it and mean “at least”."
    ),
    "GaussianDropoutInformation": (
        "Every activation is multiplied by Gaussian noise of known size. For a network that was "
        "trained with this dropout I(X;Z) is finite and really its own; for any other the noise is "
        "imagined. As the noise grows with the activation, a mere rescaling of a layer changes "
        "nothing, and clusters count by their distance relative to their size. Units that are "
        "exactly zero stay zero under the noise, so they tell the input's pattern of active units "
        "free of noise, which can take a ReLU layer to log N at once. The probe inputs stand for "
        "all inputs: open points have reached log N and mean “at least”."
    ),
    "Sliced": (
        "Random (or searched) low-dimensional projections of the layer are measured, and not the "
        "layer. By data processing the result is at most the mutual information, often far below "
        "it; it is a measure of its own, good for comparing layers of equal width and not for "
        "reading bits that a layer keeps. A wide layer looks poorer merely because a random "
        "projection catches less of it. The estimator that is named inside brings its own limits "
        "too, and between a layer and its own input those are the limits for deterministic "
        "relations."
    ),
    "Compressed": (
        "Input and layer are first compressed to a few numbers, and the estimator that is named "
        "inside measures what is left. What the compression dropped isn't seen, so a level can be "
        "too low by any amount, and a change may belong to the compression instead of the layer; "
        "an autoencoder is trained anew for each layer and snapshot. Between a layer and its own "
        "input the true value usually is infinite, so that the level is set by N and by the inner "
        "estimator. Only a trend that stays with other numbers of components is worth a word."
    ),
    "DecisionRule": (
        "Only the decision is looked at: which unit of the layer is largest. That is a truly "
        "discrete variable, so H(L) and I(L;Y) mean what they say; they are at most log of the "
        "number of units, and say nothing about what else the layer carries. The picture shows "
        "fitting: H(L) rises when the classes come into use, I(L;Y) as decisions become right. It "
        "can't show a compression of the representation, and in layers whose units stand for no "
        "classes the largest unit is arbitrary."
    ),
    "QuantizedInformation": (
        "The layer itself takes few values, and its codes are counted: no ruler of the measurement "
        "is in the number. Where the probe holds every input there is, I(X;T) = H(T) and I(T;Y) are "
        "exact, and a fall is a fall. Where it is a sample of many more inputs, both are plug-ins, "
        "and points near log N mean “at least”. Rounding is part of the network here; what the "
        "same network would show without it is another question, and usually has an infinite answer."
    ),
    "AddedNoise": (
        "Noise of the stated variance is drawn once and added to every activation, and the "
        "estimator that is named inside measures what is left. Unless the network was trained with "
        "that noise it is a ruler like a kernel's width: a layer that grows against it rises and "
        "one that shrinks falls, whatever it learns. With a variance of 0 a deterministic layer "
        "meets the estimator as it is; the true I(X;T) then is infinite as a rule, and the number "
        "says how far the estimator comes. Its own limits (log of the batch, training) stay."
    ),
}

_GENERAL = (
    "A deterministic layer usually keeps all, or infinitely much, of its input, so any finite "
    "I(X;T) that is drawn belongs to a model of the layer (rounded, noisy, hashed, seen through a "
    "critic) and not to the layer alone. Its level depends on the estimator's settings and on the "
    "number of samples; trends are worth believing only when they survive other settings and other "
    "seeds. Open points have reached a ceiling, such as log N or H(Y), and mean “at least”."
)


def caveat(estimator: str) -> str:
    """The paragraph that says what a plane drawn with this estimator can and can't show.

    `estimator` is a label from the plane's table, such as "Binning(width=0.07)"; an estimator without a
    paragraph of its own gets the general one, which holds for all.

    >>> caveat("Binning(width=0.07)")[:40]
    'Each activation is rounded to a bin, and'
    >>> caveat("SomebodysOwn()") == caveat("Another()")
    True
    """
    return _CAVEATS.get(estimator.partition("(")[0].strip(), _GENERAL)

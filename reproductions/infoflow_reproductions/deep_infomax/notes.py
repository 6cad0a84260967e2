"""Notes on what differs from the paper without being smaller, and on claims that no recipe judges."""

from __future__ import annotations

from infoflow_reproductions.deep_infomax.dependence import LIMIT

PRIOR = (
    "Equation 7 is a min–max game; here the encoder's loss is the non-saturating one, and the discriminator has a "
    "penalty on its squared gradient of weight 1, which the paper does not mention."
)
GENERATOR_GAME = (
    "Equation 12 is a min–max game; here the loss of the judge, which is the encoder of the paper, against the two "
    "discriminators is the non-saturating one."
)
LOCAL_CRITIC = (
    "Table 7 prints a ReLU at the shortcut of the critic encode-and-dot, which the text calls linear (appendix A.1). "
    "Here the shortcut is linear."
)
OCCLUSIONS = (
    "The paper calls the distribution of occlusions ad hoc, and states only that at least one block of 10×10 pixels is "
    "visible and one occluded (appendix A.6). Chosen here: one rectangle with sides and place uniform among those, "
    "filled with mid-gray."
)
TASKS = (
    "The baseline of Table 4 is by its description DIM(L) with NCE of Table 1, but the figures differ (conv 77.46 "
    "against 75.21, fc 73.33 against 75.57, Y 70.65 against 69.13 on CIFAR-10), which the paper does not explain. So "
    "the settings of Table 4 are not fully known."
)
PROBES = (
    "Perceptron probes see standardized features, and their accuracy is the mean over the last epochs (100 at full "
    "scale, section 4.1; the last third at the reduced one). The paper states no epochs, learning rate or dropout "
    "rate for them."
)
COMBINATIONS = (
    "Section 3.1 takes all combinations of the batch as negatives. So do InfoNCE and the critic encode-and-dot here; "
    "with Jensen–Shannon, the critics of pairs (that of DIM(G), and concat-and-convolve) have one map of another "
    "image for each image."
)
SHARED_MAP = (
    "DIM(G) takes the map of the last convolution (appendix A.1). Where a local term is there too, the global one "
    "takes its map, that of the convolution before; the paper calls the objective insensitive to the layer."
)
LOCAL_AGAINST_GLOBAL = (
    "DIM(L) and DIM(G) as published differ in negatives, critic, pooling and γ, and not in the objective alone. The "
    "control DIM(G) with all negatives and γ = 0.1 has the negatives and the γ of DIM(L). The global critic has 512 "
    "units at every scale, the local one 2048 in the paper and 64 at the reduced scale. What critic and pooling add "
    "is open: Tschannen et al. (2020, On mutual information maximization for representation learning) find that the "
    "architecture of encoder and critic matters more than the bound's tightness."
)
UNJUDGED = (
    "Not judged: that Jensen–Shannon is more stable than Donsker–Varadhan (section 3.1), since the paper states no "
    "measure of it, so only accuracies on CIFAR-10 are compared; that the advantage of NCE diminishes with more "
    "challenging data (3.1), which needs several data sets at one scale; and Figure 10, which needs CelebA, a data set "
    "that this package does not read."
)
MINE = (
    "For MINE the paper has a decaying learning rate and states no critic. Here the rate is constant, images are "
    "reduced to 64 principal components, and the critic has two layers of 256 units. Its score starts at the Gaussian "
    "log ratio of the canonical pairs, the linear dependence of images and vectors, and training adds to it."
)
SIMILARITY = (
    "MS-SSIM of 32×32 images has three scales and a window of 7 pixels here, since the published five scales and 11 "
    "pixels do not fit. The paper does not state its own, so values are compared among methods alone."
)
SVM = (
    "The paper trains five support vector machines with the simple hinge loss for each model. Here one is fitted for "
    "each seed of the encoder, with the squared hinge loss, whose optimum is unique, and a penalty chosen on held-out "
    "training samples."
)
ERRATUM = (
    "Table 3 prints 39.59 ± 0.01 as SVM (Y) and ± 3.69 as the deviation of SVM (fc) for both VAE and NAT, and NAT's "
    "figure exceeds that of its perceptron in Table 1 (31.16), so one of the two lines may be a mistake of the paper."
)
DEPENDENCE = (
    "NDM is computed on held-out samples; in place of the Donsker–Varadhan mean, whose variance may be infinite, the "
    "discriminator's scores of joint and shuffled samples are combined by bridge sampling. The sigmoid precedes any "
    "standardization, so features that are small have no dependence left in NDM (sigmoid), whatever their NDM. "
    f"Above {LIMIT:.1f} nats, the logarithm of the shuffled rows, samples and shuffled rows hardly overlap, and NDM "
    "follows the size of the discriminator's scores; where all values lie there, they are not compared. TC is the "
    "total correlation by the correlation matrix, which sees linear dependence alone."
)

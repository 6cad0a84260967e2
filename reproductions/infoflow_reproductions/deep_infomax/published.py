"""Published figures (Hjelm et al. 2019, CIFAR-10 unless stated otherwise); accuracies are in percent."""

from __future__ import annotations

LAYERS = ("conv", "fc", "Y")

# Table 1: accuracy of a perceptron on conv, fc and Y. The supervised network has one figure, its own accuracy.
TABLE1: dict[str, tuple[float, float, float]] = {
    "vae": (60.71, 60.54, 54.61),
    "aae": (59.44, 57.19, 52.81),
    "bigan": (62.57, 62.74, 52.54),
    "nat": (56.19, 51.29, 31.16),
    "dim-g": (52.2, 52.84, 43.17),
    "dim-l": (73.25, 73.62, 66.96),
    "dim-l-nce": (75.21, 75.57, 69.13),
}
SUPERVISED = 75.39

# Table 1, the columns of CIFAR-100.
TABLE1_CIFAR100: dict[str, tuple[float, float, float]] = {
    "vae": (37.21, 34.05, 24.22),
    "aae": (36.22, 33.38, 23.25),
    "bigan": (37.59, 33.34, 21.49),
    "nat": (29.18, 24.57, 9.72),
    "dim-g": (27.68, 24.35, 19.98),
    "dim-l": (48.13, 45.92, 39.60),
    "dim-l-nce": (49.74, 47.72, 41.61),
}
SUPERVISED_CIFAR100 = 42.27

# Table 2: Tiny ImageNet, on conv, fc and Y.
TABLE2_TINY_IMAGENET: dict[str, tuple[float, float, float]] = {
    "vae": (18.63, 16.88, 11.93),
    "aae": (18.04, 17.27, 11.49),
    "bigan": (24.38, 20.21, 13.06),
    "nat": (13.70, 11.62, 1.20),
    "dim-g": (11.32, 6.34, 4.95),
    "dim-l": (33.54, 36.88, 31.66),
    "dim-l-nce": (34.21, 38.09, 33.33),
}
SUPERVISED_TINY_IMAGENET = 36.60

# Table 2: STL-10, on conv, fc, Y and semi-supervised.
TABLE2_STL10: dict[str, tuple[float, float, float, float]] = {
    "vae": (58.27, 56.72, 46.47, 68.65),
    "aae": (59.54, 54.47, 43.89, 64.15),
    "bigan": (71.53, 67.18, 58.48, 74.77),
    "nat": (64.32, 61.43, 48.84, 70.75),
    "dim-g": (42.03, 30.82, 28.09, 51.36),
    "dim-l": (72.86, 70.85, 65.93, 76.96),
    "dim-l-nce": (72.57, 70.00, 67.08, 76.81),
}
SUPERVISED_STL10 = 68.7

# Table 3: linear SVM on conv, fc and Y; MS-SSIM; MINE in nats; NDM.
TABLE3: dict[str, dict[str, float]] = {
    "vae": {"SVM (conv)": 53.83, "SVM (fc)": 42.14, "SVM (Y)": 39.59, "MS-SSIM": 0.72, "Î(X;Y)": 93.02, "NDM": 1.62},
    "aae": {"SVM (conv)": 55.22, "SVM (fc)": 43.34, "SVM (Y)": 37.76, "MS-SSIM": 0.67, "Î(X;Y)": 87.48, "NDM": 0.03},
    "bigan": {"SVM (conv)": 56.40, "SVM (fc)": 38.42, "SVM (Y)": 44.90, "MS-SSIM": 0.46, "Î(X;Y)": 37.69, "NDM": 24.49},
    "nat": {"SVM (conv)": 48.62, "SVM (fc)": 42.63, "SVM (Y)": 39.59, "MS-SSIM": 0.29, "Î(X;Y)": 6.04, "NDM": 0.02},
    "dim-g": {
        "SVM (conv)": 46.8,
        "SVM (fc)": 28.79,
        "SVM (Y)": 29.08,
        "MS-SSIM": 0.49,
        "Î(X;Y)": 49.63,
        "NDM (sigmoid)": 0.35,
        "NDM": 9.96,
    },
    "dim-l": {
        "SVM (conv)": 63.25,
        "SVM (fc)": 54.06,
        "SVM (Y)": 49.62,
        "MS-SSIM": 0.37,
        "Î(X;Y)": 45.09,
        "NDM (sigmoid)": 0.18,
        "NDM": 9.18,
    },
    "dim-lg": {
        "SVM (conv)": 57.55,
        "SVM (fc)": 45.56,
        "SVM (Y)": 18.63,
        "MS-SSIM": 0.53,
        "Î(X;Y)": 101.65,
        "NDM (sigmoid)": 0.5,
        "NDM": 22.89,
    },
}

# Table 4: DIM(L) with InfoNCE and the further tasks, on conv, fc and Y.
TABLE4: dict[str, tuple[float, float, float]] = {
    "dim": (77.46, 73.33, 70.65),
    "coordinates": (77.28, 73.89, 71.56),
    "occlusion": (76.77, 74.45, 72.87),
    "both": (77.27, 75.15, 73.99),
}

# Table 4, the columns of CIFAR-100.
TABLE4_CIFAR100: dict[str, tuple[float, float, float]] = {
    "dim": (49.90, 47.96, 44.27),
    "coordinates": (50.27, 48.61, 45.37),
    "occlusion": (48.87, 47.65, 44.89),
    "both": (48.72, 48.00, 45.96),
}

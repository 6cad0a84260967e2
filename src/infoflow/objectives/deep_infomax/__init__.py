"""Deep InfoMax (Hjelm et al. 2019): objectives, coordinate tasks, occlusion."""

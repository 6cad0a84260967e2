"""The default: read the types of the variables, compare estimates from coarse to fine, and state why one was taken."""

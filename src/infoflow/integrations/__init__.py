"""infoflow inside other people's frameworks."""

"""Data sets that only the reproduced papers use."""

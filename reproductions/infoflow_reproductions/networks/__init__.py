"""Networks that only the reproduced papers use."""

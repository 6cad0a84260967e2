"""What every subpackage shares: estimates, protocols, errors, input checks, files, capture, distributed sums."""

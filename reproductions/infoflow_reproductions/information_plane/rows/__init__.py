"""The sixteen rows of the review's table, one module each."""

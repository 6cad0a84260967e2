"""Information flow maximization between the layers of a network, which is left as it is."""

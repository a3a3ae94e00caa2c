"""One file an optimizer. Each declares OPTIMIZER; nothing else is needed."""

"""How good a model is, with how sure that is: labelled rows and a model folder → figures, comparison, report."""

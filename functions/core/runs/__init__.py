"""Runs: a workflow over one item or many, in the background. Step Functions does the work; what became of each item is kept
in a table. Only what is called in the background imports from here.
"""

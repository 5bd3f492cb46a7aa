"""Runs: a workflow over one item or many, in the background.

Step Functions does the work; a table keeps each item's outcome. Only background work imports this
package.
"""

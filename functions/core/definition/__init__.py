"""A workflow's definition, without the triggers that call it."""

"""Parts of the document that operations share: schemas, examples, problems, headers, security."""

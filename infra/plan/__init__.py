"""The plan: which quota a load reaches first, which key gets hot, and what memory costs."""

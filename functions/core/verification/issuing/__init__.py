"""Issues verifications: a new one with its code, or an earlier one whose code is sent again."""

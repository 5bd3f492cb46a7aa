"""Schedules: runs that start in the future, once or repeatedly.

EventBridge Scheduler keeps the time (its *entry*), S3 the definition. Both have the schedule's id
as their name. The definition is written first and deleted first: an entry without one runs nothing,
and one that is older than its definition is written again when it fires.
"""

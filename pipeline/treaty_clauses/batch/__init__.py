"""Batch processing: sources in, a store filled, resumable at any point. The call is `session.run_batch`.

Nothing is imported here: the extraction process needs neither the readers nor the database.
"""

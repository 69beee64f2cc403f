"""Runs one job on many targets, with tasks, workers and a journal. Uses the API, and no command."""

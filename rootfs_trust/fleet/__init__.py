"""Runs install, image or check on many targets: tasks, workers and a journal. Uses the API, not the commands."""

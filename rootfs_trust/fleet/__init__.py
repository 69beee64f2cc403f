"""The same job on many targets: tasks, workers and a journal. Uses the API, and no command."""

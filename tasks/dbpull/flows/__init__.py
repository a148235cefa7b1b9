"""The flows of the tasks, one file for each task, and modules that only flows use."""

"""What serves: files, answers, long jobs, and what every request meets."""

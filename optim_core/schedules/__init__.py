"""Learning-rate schedules. One file a schedule; each declares SCHEDULE; nothing else is needed."""

"""What an address says: every value of a page, read in one way and declared once."""

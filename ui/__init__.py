"""What stands between the pages and the browser: links, assets, the player."""

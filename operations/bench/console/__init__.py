"""How fast the console is where there is much to show, and how soon an alert is on a screen."""

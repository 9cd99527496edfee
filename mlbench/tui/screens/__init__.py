"""Modal screens; everything else is a pane of the one screen."""

"""What stands on the screen: thin shells over answers and cells, drawn line by line."""

"""One module per command; each holds a `command` and is loaded only when it is called."""

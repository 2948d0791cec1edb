"""What starts flows: the command line, the local stack of services, and (later) web hooks and automations."""

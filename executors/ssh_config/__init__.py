"""ssh_config files as OpenSSH reads them: parsed once, resolved for each host. Starts nothing."""

"""Who the hosts are: Ansible's inventory words as immutable values. Touches no file, no host."""

"""Who the hosts are: Ansible's inventory words as immutable values. Never touches a file or a host."""

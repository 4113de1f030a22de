"""A few real hosts on one Linux machine: sshd in namespaces of its own, with faults to order.

Every host has its own network, mount, PID, UTS, IPC and cgroup namespace; its root is an overlay of
the machine's. The lab isolates hosts from each other; it does not protect the machine from them.
"""

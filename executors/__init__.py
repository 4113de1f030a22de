"""The only code that touches a host. Decides nothing: it observes, and carries out steps."""

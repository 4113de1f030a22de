# Print the time since the epoch in ns. Reads only.
set_now
succeed "$now"

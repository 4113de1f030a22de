"""Every decision orch makes, as pure functions over immutable values. Never does IO."""

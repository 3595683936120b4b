"""Values as the declaration wants them: cast without loss, in canonical form."""

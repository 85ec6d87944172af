"""What a computation is."""

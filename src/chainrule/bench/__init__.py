"""Training measured against other systems and against what the processor can do."""

"""What chainrule promises, room by room."""

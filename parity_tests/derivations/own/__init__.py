"""What people bring besides text: functions in a file, and numbers."""

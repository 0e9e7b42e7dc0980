"""What one worker tells the others."""

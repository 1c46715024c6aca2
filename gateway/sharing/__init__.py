"""What people and apps without an account get: links to one MP3, and feeds of a user's finished ones."""

"""Turn a video into an MP3."""

"""The only door: log in, upload a video, follow the job, download the MP3."""

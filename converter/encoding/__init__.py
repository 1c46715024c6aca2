"""One MP3 by several encoders at once, the same samples as by one."""

"""The steps; each can be run again after a crash in its middle, as MySQL commits every statement."""

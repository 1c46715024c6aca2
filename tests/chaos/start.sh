#!/bin/sh
# Starts a program.  What lies in the file `once` of its folder is done before, that one time only:
# it sets the environment, or starts another program instead.
if [ -f once ]; then
    mv once this
    . ./this
fi
exec "$@"

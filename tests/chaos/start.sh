#!/bin/sh
# Starts a program: start.sh LOG PROGRAM...  It writes to LOG by itself, because what its supervisor reads
# ends with the process that the supervisor knows: workers outlive it.
# What lies in the file `once` of its folder is done before, that one time only: it sets the environment, or
# starts another program instead.
exec >>"$1" 2>&1
shift
if [ -f once ]; then
    mv once this
    . ./this
fi
exec "$@"

#!/bin/sh
if [ "$1" = --host ]; then echo "{\"me\": \"$2\"}"; else
echo '{"web":{"hosts":["a","b"]},"all":{"vars":{"v":1}}}'; fi

#!/bin/sh
echo '{"web":{"hosts":["a","b"],"vars":{"x":"{{ y }}"},"children":["sub"]},"sub":["c"],"lonely":{"k":1},"_meta":{"hostvars":{"a":{"i":1},"zz":{"i":2}}}}'

#!/bin/sh
# Half-open connections in a network namespace of their own, whose loopback interface goes down. Needs the right to make one
# (root, or user namespaces); says so and succeeds where it is not given.
# usage: half_open.sh PROGRAM...   what to run there: beamlua tests/realtime/main.lua half_open vanish
if ! unshare --user --map-root-user --net true 2>/dev/null; then
  echo "# no network namespaces here: the packets of half_open vanish in unread sockets only" >&2
  exit 0
fi
BEAM_TEST_OUTSIDE=$(readlink /proc/self/ns/net)
export BEAM_TEST_OUTSIDE
exec unshare --user --map-root-user --net sh -c 'ip link set lo up && exec "$@"' sh "$@"

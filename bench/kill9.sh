#!/bin/sh
# Kills the owner at random moments of a start, 20 times or as often as the argument says, and takes the
# census after each. Needs root. Status 0 means that nothing was ever left behind.
cd "$(dirname "$0")/.." || exit 1
KILLS="${1:-20}" exec npx vitest run --project qemu test/qemu/cli/kill9.test.ts --disable-console-intercept

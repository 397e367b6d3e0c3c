#!/bin/sh
# Kills the owner, `xc`, the launcher or one QEMU at random moments of a start, as root and as an unprivileged user:
# 38 times each (304 kills), or as often as the argument says, and takes the census after each. Needs root. Status 0
# means that nothing was ever left behind.
cd "$(dirname "$0")/.." || exit 1
KILLS="${1:-38}" exec npx vitest run --project qemu test/qemu/cli/kill9.test.ts --disable-console-intercept

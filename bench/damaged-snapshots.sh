#!/bin/sh
# Flips bits of a snapshot's files and of an exported one, and truncates them: 1,000 times each, or as often as the
# argument says. Status 0 means that each was refused.
cd "$(dirname "$0")/.." || exit 1
DAMAGES="${1:-1000}" exec npx vitest run --project kernel test/kernel/vm/snapshots.test.ts

#!/bin/sh
# Kills one process of a job with a lab on three hosts of Slurm: slurmstepd, `xc host` or srun, each of six of them 9
# times (54 kills), or as often as the argument says, and takes the census after each. Needs root. Status 0 means that
# nothing was left on any host after 5 s.
cd "$(dirname "$0")/.." || exit 1
KILLS="${1:-9}" exec npx vitest run --project qemu test/qemu/fleet/slurm.test.ts --disable-console-intercept

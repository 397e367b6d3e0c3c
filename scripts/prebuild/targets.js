// @ts-check
/**
 * A platform that the package brings native code for.
 * @typedef {object} Target
 * @property {string} arch as Node names it
 * @property {string} triple the begin of its compiler's name
 * @property {string} machine as readelf names it
 * @property {readonly string[]} artefacts
 * @property {string} package of Debian, with its compiler
 */

/** Guests are x86-64 whatever the host is, so there is one guest program. */
const everywhere = ['xcluster.node', 'xcluster-launcher', 'xcluster-qemu.so']

/** @type {readonly Target[]} */
export const targets = [
  {
    arch: 'x64',
    triple: 'x86_64-linux-gnu',
    machine: 'Advanced Micro Devices X86-64',
    artefacts: [...everywhere, 'xcluster-guest'],
    package: 'gcc-x86-64-linux-gnu',
  },
  {
    arch: 'arm64',
    triple: 'aarch64-linux-gnu',
    machine: 'AArch64',
    artefacts: everywhere,
    package: 'gcc-aarch64-linux-gnu',
  },
]

/** The oldest glibc that prebuilt files run with: that of Debian 11 and Ubuntu 20.04. */
export const oldestGlibc = '2.31'

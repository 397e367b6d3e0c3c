// @ts-check
import { join } from 'node:path'
import { defaultCacheDir } from '../setup/cache.js'

/**
 * A ground: another Debian, unpacked in the cache, on which the project is tried without a machine of that kind.
 * @typedef {object} Ground
 * @property {string} suite of Debian
 * @property {readonly string[]} packages what is unpacked, with everything that it depends on
 */

/** QEMU, the tools that the suites compare results with, and what a shell and apt need. */
const packages = [
  ...['qemu-system-x86', 'libstdc++6', 'base-files', 'base-passwd', 'bash', 'dash', 'coreutils', 'findutils'],
  ...['util-linux', 'bsdutils', 'grep', 'sed', 'gawk', 'mount', 'hostname', 'libc-bin', 'apt', 'dpkg', 'tar'],
  ...['debian-archive-keyring', 'bind9-dnsutils', 'busybox-static', 'iproute2', 'iputils-ping', 'nftables'],
  ...['openssh-client', 'openvswitch-switch', 'passt', 'procps', 'zsh', 'strace', 'libcap2-bin', 'python3'],
]

/** @type {Readonly<Record<string, Ground>>} */
export const grounds = {
  trixie: { suite: 'trixie', packages },
  sid: { suite: 'sid', packages },
}

/** @param {string} name */
export function groundOf(name) {
  const ground = grounds[name]
  if (ground) return ground
  throw new RangeError(`There is no ground ${name}: give one of ${Object.keys(grounds).join(', ')}.`)
}

/** The folder of a ground: `root` is its file system, `apt` its package lists. */
export function folderOf(/** @type {string} */ name, cacheDir = defaultCacheDir()) {
  return join(cacheDir, 'ground', name)
}

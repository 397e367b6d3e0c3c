// @ts-check
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SetupFailure } from './failure.js'
import { run } from './run.js'

/** @typedef {{ name: string, command: string }} DebianPackage a package, and a command, a header or a file that shows
 * that it is installed */

/** What is needed of Debian, by purpose. Packages for guests are fetched, not installed. */
export const packagesFor = {
  running: [{ name: 'qemu-system-x86', command: 'qemu-system-x86_64' }],
  building: [
    { name: 'python3', command: 'python3' },
    { name: 'make', command: 'make' },
    { name: 'g++', command: 'g++' },
  ],
  /** For `xc kernel build`. */
  kernel: [
    { name: 'bc', command: 'bc' },
    { name: 'bison', command: 'bison' },
    { name: 'flex', command: 'flex' },
    { name: 'gcc', command: 'gcc' },
    { name: 'libc6-dev', command: 'stdio.h' },
    { name: 'libelf-dev', command: 'libelf.h' },
    { name: 'make', command: 'make' },
    { name: 'perl', command: 'perl' },
    { name: 'xz-utils', command: 'xz' },
  ],
  /** For the tests alone: the tools that results are compared with. */
  tests: [
    { name: 'bind9-dnsutils', command: 'dig' },
    { name: 'busybox-static', command: 'busybox' },
    { name: 'fish', command: 'fish' },
    { name: 'gcc-aarch64-linux-gnu', command: 'aarch64-linux-gnu-gcc' },
    { name: 'iproute2', command: 'ip' },
    { name: 'iputils-ping', command: 'ping' },
    { name: 'libc6-dev-arm64-cross', command: '/usr/aarch64-linux-gnu/include/stdio.h' },
    { name: 'libstdc++6-arm64-cross', command: '/usr/aarch64-linux-gnu/lib/libstdc++.so.6' },
    { name: 'man-db', command: 'man' },
    { name: 'musl', command: '/lib/ld-musl-x86_64.so.1' },
    { name: 'nftables', command: 'nft' },
    { name: 'nsd', command: 'nsd' },
    { name: 'openssh-client', command: 'ssh-keyscan' },
    { name: 'openvswitch-switch', command: 'ovs-vswitchd' },
    { name: 'passt', command: 'pasta' },
    { name: 'procps', command: 'sysctl' },
    { name: 'qemu-user', command: 'qemu-aarch64' },
    { name: 'zsh', command: 'zsh' },
  ],
}

/**
 * Programs outside Node: QEMU, a compiler.
 * @param {readonly DebianPackage[]} wanted
 * @param {{ install: boolean }} options
 * @returns {import('./steps.js').Step}
 */
export const debianPackages = (wanted, { install }) => ({
  title: 'Debian packages',
  async run(say) {
    const why = 'Packages are missing'
    const missing = await provide(wanted, { install, say, why, code: 'PACKAGES_MISSING' })
    return missing.length === 0 ? 'all installed' : `installed ${missing.join(' ')}`
  },
})

/**
 * @typedef {object} Provision
 * @property {boolean} install whether packages may be installed, which takes root
 * @property {import('./steps.js').Say} say
 * @property {string} why begins the sentence of the failure
 * @property {string} code of the failure
 * @property {string} [itself] the command that installs them with --install
 */

/**
 * Installs those packages whose command is missing, and resolves with their names. Where it may not, the failure has the
 * command line that installs them.
 * @param {readonly DebianPackage[]} wanted
 * @param {Provision} options
 */
export async function provide(wanted, { install, say, why, code, itself = 'npx xc setup' }) {
  const missing = wanted.filter(({ command }) => !isCommand(command)).map(({ name }) => name)
  if (missing.length === 0) return missing
  if (!isCommand('apt-get')) {
    const sentence = `${why}: ${missing.join(' ')}, as Debian names them. Install them or their equivalents, then try again.`
    throw new SetupFailure(sentence, { status: 4, code })
  }
  const args = ['install', '-y', '--no-install-recommends', ...missing]
  if (!install || !isRoot()) {
    const line = `${isRoot() ? '' : 'sudo '}apt-get ${args.join(' ')}`
    const or = isRoot() ? `\nOr let it be done: ${itself} --install` : ''
    throw new SetupFailure(`${why}. Run this, then try again:\n  ${line}${or}`, { status: 4, code })
  }
  say(missing.join(' '))
  await withPackageLists(say, () => aptGet(args, say))
  return missing
}

/**
 * Runs work that needs apt's package lists. A fresh machine has none, and old ones name files that the
 * archive no longer has: when the work fails, root updates the lists and tries once more.
 * @param {import('./steps.js').Say} say
 * @param {() => Promise<unknown>} work
 */
export async function withPackageLists(say, work) {
  try {
    await work()
  } catch (error) {
    if (!isRoot()) throw error
    await aptGet(['update'], say)
    await work()
  }
}

/**
 * @param {readonly string[]} args
 * @param {import('./steps.js').Say} say
 */
function aptGet(args, say) {
  return run('apt-get', args, {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    remedy: 'Check the network and the package sources in /etc/apt, then try again.',
    onLine: say,
  })
}

const isRoot = () => process.getuid?.() === 0

/**
 * True when there is such a program, header or file.
 * @param {string} name
 */
export function isCommand(name) {
  if (name.startsWith('/')) return existsSync(name)
  const { PATH = '', CPATH = '', C_INCLUDE_PATH = '' } = process.env
  // The PATH of a user often lacks sbin, where Debian keeps some of these.
  const folders = name.endsWith('.h')
    ? [...`${CPATH}:${C_INCLUDE_PATH}`.split(delimiter), '/usr/local/include', '/usr/include']
    : [...PATH.split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return folders.filter(Boolean).some(folder => existsSync(join(folder, name)))
}

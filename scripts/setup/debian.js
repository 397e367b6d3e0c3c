// @ts-check
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SetupFailure } from './failure.js'
import { run } from './run.js'

/**
 * Debian packages, each with a command that shows that it is installed. Packages for guests are fetched, not
 * installed.
 */
const packages = [
  { name: 'qemu-system-x86', command: 'qemu-system-x86_64' },
  { name: 'python3', command: 'python3' },
  { name: 'make', command: 'make' },
  { name: 'g++', command: 'g++' },
]

/** Packages for the tests alone: the tools that results are compared with. */
const testPackages = [
  { name: 'bind9-dnsutils', command: 'dig' },
  { name: 'busybox-static', command: 'busybox' },
  { name: 'iproute2', command: 'ip' },
  { name: 'iputils-ping', command: 'ping' },
  { name: 'nftables', command: 'nft' },
  { name: 'openssh-client', command: 'ssh-keyscan' },
  { name: 'openvswitch-switch', command: 'ovs-vswitchd' },
  { name: 'passt', command: 'pasta' },
  { name: 'procps', command: 'sysctl' },
  { name: 'zsh', command: 'zsh' },
]

/**
 * The programs outside Node: QEMU and the compiler.
 * @param {{ tests: boolean }} options
 * @returns {import('./steps.js').Step}
 */
export const debianPackages = ({ tests }) => ({
  title: 'Debian packages',
  async run(say) {
    const wanted = tests ? [...packages, ...testPackages] : packages
    const missing = wanted.filter(({ command }) => !isCommand(command)).map(({ name }) => name)
    if (missing.length === 0) return 'all installed'
    await install(missing, say)
    return `installed ${missing.join(' ')}`
  },
})

/**
 * @param {readonly string[]} names
 * @param {import('./steps.js').Say} say
 */
async function install(names, say) {
  const args = ['install', '-y', '--no-install-recommends', ...names]
  if (!isCommand('apt-get'))
    throw new SetupFailure(
      `These Debian packages, or their equivalents, are missing: ${names.join(' ')}. Install them, then try again.`,
      {
        status: 4,
      },
    )
  if (!isRoot())
    throw new SetupFailure(
      `Packages are missing. Run this, then try again:\n  sudo apt-get ${args.join(' ')}`,
      {
        status: 4,
      },
    )
  say(names.join(' '))
  await withPackageLists(say, () => aptGet(args, say))
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

/** @param {string} name */
function isCommand(name) {
  // The PATH of a user often lacks sbin, where Debian keeps some of these.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return folders.some(folder => existsSync(join(folder, name)))
}

// @ts-check
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SetupFailure } from './failure.js'
import { run } from './run.js'

/** Debian packages, each with a command that says it is there. */
const packages = [
  { name: 'qemu-system-x86', command: 'qemu-system-x86_64' },
  { name: 'busybox-static', command: 'busybox' },
  { name: 'iproute2', command: 'ip' },
  { name: 'nftables', command: 'nft' },
  { name: 'python3', command: 'python3' },
  { name: 'make', command: 'make' },
  { name: 'g++', command: 'g++' },
]

/** What only the tests use. */
const testPackages = [{ name: 'tcpdump', command: 'tcpdump' }]

/**
 * The programs that are not Node's: QEMU, what goes into the guest's image, and the compiler.
 * @param {{ tests: boolean }} options
 * @returns {import('./steps.js').Step}
 */
export function debianPackages({ tests }) {
  const missing = () =>
    [...packages, ...(tests ? testPackages : [])]
      .filter(({ command }) => !isCommand(command))
      .map(({ name }) => name)
  return {
    title: 'Debian packages',
    isDone: () => (missing().length === 0 ? 'all there' : undefined),
    async run(say) {
      const names = missing()
      say(names.join(' '))
      await install(names, say)
      return `installed ${names.join(' ')}`
    },
  }
}

/**
 * @param {readonly string[]} names
 * @param {(text: string) => void} say
 */
async function install(names, say) {
  const line = `apt-get install -y --no-install-recommends ${names.join(' ')}`
  if (!isCommand('apt-get'))
    throw new SetupFailure(`These Debian packages, or their like, are missing: ${names.join(' ')}.`, {
      status: 4,
    })
  if (process.getuid?.() !== 0)
    throw new SetupFailure(`Some packages are missing. Run this, then try again:\n  sudo ${line}`, {
      status: 4,
    })
  const apt = (/** @type {string[]} */ args) =>
    run('apt-get', args, {
      env: { DEBIAN_FRONTEND: 'noninteractive' },
      remedy: `Check the network and Debian's sources, or run it by hand: ${line}`,
      onLine: say,
    })
  const installing = ['install', '-y', '--no-install-recommends', ...names]
  if (!hasPackageLists()) {
    await apt(['update'])
    return apt(installing)
  }
  // Lists older than the archive name files it no longer has: fetch them anew, once.
  await apt(installing).catch(async () => {
    await apt(['update'])
    await apt(installing)
  })
}

function hasPackageLists() {
  try {
    return readdirSync('/var/lib/apt/lists').some(name => /_Packages(\.\w+)?$/.test(name))
  } catch {
    return false
  }
}

/** @param {string} name */
function isCommand(name) {
  // A user's PATH often has no sbin, where Debian keeps some of these.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return folders.some(folder => existsSync(join(folder, name)))
}

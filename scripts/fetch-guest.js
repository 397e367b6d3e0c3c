#!/usr/bin/env node
/**
 * Fetches the packages that only the guest needs, as any user, without installing anything: Debian's cloud
 * kernel, the guest agent, an SSH server, and other parts of the guest that this machine lacks. The packages
 * are unpacked into `$XDG_CACHE_HOME/xcluster/fetched/root`, which is complete or absent.
 *
 * node scripts/fetch-guest.js [--refresh]
 */
import { existsSync, realpathSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultCacheDir } from './setup/cache.js'
import { command, FetchError } from './setup/command.js'

const KERNEL = 'linux-image-cloud-amd64'
/** Fetched even if the host has them: the host needs no daemons of the guest. */
const FOR_THE_GUEST = ['qemu-guest-agent', 'dropbear-bin']
/** Fetched only if the host lacks them. */
const UNLESS_INSTALLED = ['busybox-static', 'dash', 'iproute2', 'nftables']
/** Packages that the guest works without. */
const OPTIONAL = ['dropbear-bin', 'dash']

const STAMP = '.fetched.json'
const FORMAT = 1
const UNUSED = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
  'usr/share/bash-completion',
  'usr/share/lintian',
]

/**
 * @param {{ cacheDir?: string, refresh?: boolean, timeoutMs?: number, notice?: (text: string) => void }} [options]
 * @returns {Promise<{ root: string, upToDate: boolean, packages: Record<string, string>, skipped: string[] }>}
 */
export async function fetchGuest({
  cacheDir = defaultCacheDir(),
  refresh = false,
  timeoutMs = 300_000,
  notice = () => {},
} = {}) {
  const parent = join(cacheDir, 'fetched')
  const root = join(parent, 'root')
  const stamp = await readStamp(root)
  if (stamp && !refresh) return { root, upToDate: true, packages: stamp.packages, skipped: stamp.skipped }

  const signal = AbortSignal.timeout(timeoutMs)
  const { packages, skipped } = await choose(signal)
  for (const text of skipped) notice(`skipped ${text}`)
  await mkdir(parent, { recursive: true })
  await chmod(parent, 0o755)
  await sweep(parent)
  const work = await mkdtemp(join(parent, '.new-'))
  try {
    notice(`fetching ${Object.keys(packages).join(', ')}`)
    await unpackAll(packages, work, signal)
    await writeFile(join(work, 'root', STAMP), JSON.stringify({ format: FORMAT, packages, skipped }))
    await replace(root, join(work, 'root'), join(work, 'old'))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return { root, upToDate: false, packages, skipped }
}

async function readStamp(root) {
  try {
    const stamp = JSON.parse(await readFile(join(root, STAMP), 'utf8'))
    return stamp.format === FORMAT && (await hasKernel(root)) ? stamp : undefined
  } catch {
    return undefined
  }
}

/** Chooses packages and versions: those above, and the libraries that they need and this machine lacks. */
async function choose(signal) {
  const installed = await installedPackages(signal)
  const skipped = UNLESS_INSTALLED.filter(name => installed.has(name)).map(
    name => `${name}: installed on this machine`,
  )
  let wanted = [KERNEL, ...FOR_THE_GUEST, ...UNLESS_INSTALLED.filter(name => !installed.has(name))]
  const packages = {}
  while (wanted.length > 0) {
    const known = await candidates(wanted, signal)
    const needs = new Set()
    for (const name of wanted) {
      const found = known.get(name)
      if (!found && !OPTIONAL.includes(name)) throw unknownPackage(name)
      if (!found) skipped.push(`${name}: apt has no such package`)
      else if (name !== KERNEL) packages[name] = found.version
      for (const need of found?.depends ?? []) if (isNeeded(need, name)) needs.add(need)
    }
    // Not the kernel of this machine, if it is the same: /boot may be private.
    const has = name => name in packages || (installed.has(name) && !name.startsWith('linux-'))
    wanted = [...needs].filter(name => !has(name))
  }
  return { packages, skipped }
}

/**
 * Of a package's dependencies the guest needs only libraries, and of a kernel's the packages that it is divided into:
 * one until Debian 13, then the image, its modules and their lists.
 */
function isNeeded(need, by) {
  return by.startsWith('linux-')
    ? /^linux-(image|binary|modules|base)-\d/.test(need)
    : /^(lib|zlib1g)/.test(need)
}

/** True when a kernel with its modules is there. */
async function hasKernel(root) {
  const names = path => readdir(join(root, path)).catch(() => [])
  for (const folder of ['lib/modules', 'usr/lib/modules'])
    for (const version of await names(folder)) {
      const own = await names(join(folder, version))
      const image = own.includes('vmlinuz') || (await names('boot')).includes(`vmlinuz-${version}`)
      if (image && own.includes('kernel') && own.includes('modules.order')) return true
    }
  return false
}

async function installedPackages(signal) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders of dpkg-query
  const list = await command('dpkg-query', ['-W', '-f', '${db:Status-Status} ${Package}\n'], { signal })
  const lines = list.split('\n').filter(line => line.startsWith('installed '))
  return new Set(lines.map(line => line.split(' ')[1]))
}

/** Version and dependencies (the first of alternatives) of each package, as apt would install it. */
async function candidates(names, signal) {
  const known = new Map()
  const text = await command('apt-cache', ['show', '--no-all-versions', ...names], { signal, mayFail: true })
  for (const paragraph of text.split('\n\n')) {
    const field = name => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? ''
    const depends = `${field('Pre-Depends')},${field('Depends')}`
    const firsts = depends.split(',').map(each => each.trim().split(/[ :|(]/)[0])
    if (field('Package'))
      known.set(field('Package'), { version: field('Version'), depends: firsts.filter(Boolean) })
  }
  return known
}

function unknownPackage(name) {
  return new FetchError(`apt has no package ${name}: run "sudo apt-get update" and try again.`)
}

function noKernel(names) {
  const kernels = names.filter(name => name.startsWith('linux-'))
  return new FetchError(
    `The packages ${kernels.join(', ') || KERNEL} have no kernel with its modules: give one with --kernel.`,
  )
}

async function unpackAll(packages, work, signal) {
  const debs = join(work, 'debs')
  const root = join(work, 'root')
  await mkdir(debs)
  await mkdir(root)
  await chmod(root, 0o755) // whatever the umask: other users start clusters from these packages too
  const names = Object.entries(packages).map(([name, version]) => `${name}=${version}`)
  // Without the option, apt run by root warns that its own user cannot write here.
  await command('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...names], {
    signal,
    cwd: debs,
  })
  for (const name of await readdir(debs))
    await command('dpkg-deb', ['-x', join(debs, name), root], { signal })
  if (!(await hasKernel(root))) throw noKernel(names)
  const boot = await readdir(join(root, 'boot')).catch(() => [])
  const maps = boot.filter(name => !name.startsWith('vmlinuz-')).map(name => `boot/${name}`)
  await Promise.all([...UNUSED, ...maps].map(path => rm(join(root, path), { recursive: true, force: true })))
}

/** Replaces a directory tree by another. */
async function replace(root, fresh, old) {
  if (existsSync(root)) await rename(root, old)
  await rename(fresh, root)
}

/** Removes remains of a killed run that are older than any run can last. */
async function sweep(parent) {
  for (const name of await readdir(parent)) {
    const path = join(parent, name)
    if (!name.startsWith('.new-')) continue
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now())
    if (age > 3_600_000) await rm(path, { recursive: true, force: true })
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const say = text => console.error(text)
  try {
    const { root, upToDate, packages } = await fetchGuest({
      refresh: process.argv.includes('--refresh'),
      notice: say,
    })
    say(`${root}: ${Object.keys(packages).length} packages${upToDate ? ', unchanged' : ''}`)
  } catch (failure) {
    if (!(failure instanceof FetchError)) throw failure
    say(failure.message)
    process.exitCode = 4
  }
}

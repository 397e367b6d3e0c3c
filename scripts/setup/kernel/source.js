// @ts-check
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, statfs } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { command, FetchError } from '../command.js'
import { isCommand, withPackageLists } from '../debian.js'
import { SetupFailure } from '../failure.js'

/**
 * An unpacked source of Linux.
 * @typedef {object} Source
 * @property {string} name package and version
 * @property {string} version of the package: `6.1.192-3`
 * @property {string} path
 */

/** For 140 MB on a slow line. */
const timeoutMs = 30 * 60_000
/** What source, objects and result of a kernel take. */
const neededBytes = 3 * 2 ** 30

/** Other processors: of these, code and device trees are left out. Kconfig reads theirs. */
const unused = [
  ...['alpha', 'arc', 'arm', 'arm64', 'csky', 'hexagon', 'ia64', 'loongarch', 'm68k', 'microblaze', 'mips'],
  ...['nios2', 'openrisc', 'parisc', 'powerpc', 'riscv', 's390', 'sh', 'sparc', 'xtensa'],
].map(arch => `arch/${arch}`)

/**
 * The source that was fetched before.
 * @param {string} folder
 * @returns {Source | undefined}
 */
export function knownSource(folder) {
  const names = existsSync(folder) ? readdirSync(folder) : []
  const found = names.filter(name => /^linux-source-[^_]+_[^_]+$/.test(name) && !name.endsWith('.objects'))
  const [name] = found.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  return name === undefined ? undefined : sourceAt(folder, name)
}

/**
 * @param {string} folder
 * @param {string} name
 * @returns {Source}
 */
function sourceAt(folder, name) {
  return { name, version: name.slice(name.indexOf('_') + 1), path: join(folder, name) }
}

/**
 * Fetches the newest source that apt knows, as any user and without installing it, unless it is there, and removes older
 * ones with their objects. A source is complete or absent.
 * @param {string} folder
 * @param {import('../steps.js').Say} say
 * @returns {Promise<Source>}
 */
export async function fetchSource(folder, say) {
  for (const tool of ['apt-get', 'apt-cache', 'dpkg-deb'])
    if (!isCommand(tool))
      throw unfetched(`The source of the kernel is a package of Debian, and ${tool} is not installed here.`)
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    /** @type {Source | undefined} */
    let source
    await withPackageLists(say, async () => {
      const { name, version } = await candidate(signal)
      source = sourceAt(folder, `${name}_${version}`)
      if (!existsSync(source.path)) await unpack(source, { name, version, signal, say })
    })
    if (!source) throw new FetchError('apt has no source of a kernel.')
    await removeOthers(folder, source)
    return source
  } catch (failure) {
    throw failure instanceof FetchError ? unfetched(failure.message) : failure
  }
}

/**
 * The package that `linux-source` stands for.
 * @param {AbortSignal} signal
 */
async function candidate(signal) {
  const show = (/** @type {string} */ name) =>
    command('apt-cache', ['show', '--no-all-versions', name], { signal, mayFail: true })
  const name = /^Depends:.*?\b(linux-source-\d[\w.]*)/m.exec(await show('linux-source'))?.[1]
  const version = name && /^Version: (\S+)$/m.exec(await show(name))?.[1]
  if (!name || !version)
    throw new FetchError('apt has no package linux-source: run "sudo apt-get update" and try again.')
  return { name, version }
}

/**
 * @param {Source} source
 * @param {{ name: string, version: string, signal: AbortSignal, say: import('../steps.js').Say }} wanted
 */
async function unpack({ path }, { name, version, signal, say }) {
  const folder = join(path, '..')
  await requireRoom(folder)
  const work = await mkdtemp(join(folder, '.new-'))
  try {
    say(`fetching ${name} ${version}`)
    // Without the option, apt run by root warns that its own user cannot write here.
    const options = ['-q', '-o', 'APT::Sandbox::User=root']
    await command('apt-get', [...options, 'download', `${name}=${version}`], { signal, cwd: work })
    say(`unpacking ${name}`)
    for (const file of await readdir(work))
      await command('dpkg-deb', ['-x', join(work, file), work], { signal })
    await mkdir(join(work, 'tree'))
    const archive = join(work, 'usr/src', `${name}.tar.xz`)
    const without = unused.map(part => `--exclude=${name}/${part}/*.[chSd]*`)
    await command('tar', ['-C', join(work, 'tree'), '--strip-components=1', ...without, '-xf', archive], {
      signal,
    })
    await rename(join(work, 'tree'), path)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** @param {string} folder */
async function requireRoom(folder) {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= neededBytes) return
  const gib = (/** @type {number} */ bytes) => (bytes / 2 ** 30).toFixed(1)
  throw new SetupFailure(
    `Building a kernel takes ${gib(neededBytes)} GiB in ${folder}, which has ${gib(bavail * bsize)}. Free some, or set XDG_CACHE_HOME to a folder with more room.`,
    { status: 4, code: 'KERNEL_UNBUILDABLE' },
  )
}

/**
 * Removes other sources, their objects, and what killed runs left. Results stay.
 * @param {string} folder
 * @param {Source} keep
 */
async function removeOthers(folder, keep) {
  for (const name of await readdir(folder)) {
    const isOld = name.startsWith('linux-source-') && !name.startsWith(basename(keep.path))
    if (isOld || name.startsWith('.new-')) await rm(join(folder, name), { recursive: true, force: true })
  }
}

/** @param {string} sentence */
const unfetched = sentence => new SetupFailure(sentence, { status: 4, code: 'KERNEL_SOURCE_UNFETCHED' })

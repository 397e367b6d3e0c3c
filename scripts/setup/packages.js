#!/usr/bin/env node
// @ts-check
/**
 * Fetches Debian packages for guests, with those that they depend on and this machine lacks, as any user and without
 * installing them. They are unpacked into `$XDG_CACHE_HOME/xcluster/packages/root`, beside dpkg's lists of their files.
 *
 * node scripts/setup/packages.js NAME…
 */
import { existsSync, realpathSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultCacheDir } from './cache.js'
import { command, FetchError } from './command.js'

const INFO = 'var/lib/dpkg/info'
const timeoutMs = 300_000

/**
 * @param {readonly string[]} names
 * @param {{ cacheDir?: string, notice?: (text: string) => void }} [options]
 * @returns {Promise<string[]>} the packages that were fetched
 */
export async function fetchPackages(names, { cacheDir = defaultCacheDir(), notice = () => {} } = {}) {
  const parent = join(cacheDir, 'packages')
  const info = join(parent, 'root', INFO)
  const lacking = names.filter(name => !existsSync(join(info, `${name}.list`)))
  if (lacking.length === 0) return []
  for (const name of lacking)
    if (!/^[a-z0-9][a-z0-9+.-]+$/.test(name))
      throw new FetchError(`'${name}' is not the name of a Debian package.`)
  const signal = AbortSignal.timeout(timeoutMs)
  await mkdir(info, { recursive: true })
  const work = await mkdtemp(join(parent, '.new-'))
  try {
    const fetched = new Set()
    for (const name of lacking) {
      const needed = await neededFor(name, signal)
      const news = needed.filter(each => !fetched.has(each) && !existsSync(join(info, `${each}.list`)))
      notice(`fetching ${news.join(', ')}`)
      await fetchInto(join(parent, 'root'), news, { work, signal })
      await writeFile(join(work, 'depends'), needed.map(each => `${each}\n`).join(''))
      await rename(join(work, 'depends'), join(info, `${name}.depends`))
      for (const each of news) fetched.add(each)
    }
    return [...fetched]
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/**
 * The package, and those that apt would install with it on this machine.
 * @param {string} name
 * @param {AbortSignal} signal
 */
async function neededFor(name, signal) {
  const args = ['-s', '-q', 'install', '--reinstall', '--no-install-recommends', name]
  const text = await command('apt-get', args, { signal })
  const found = Array.from(text.matchAll(/^Inst (\S+)/gm), ([, each]) => String(each).replace(/:.*/, ''))
  if (!found.includes(name))
    throw new FetchError(`apt has no package ${name}: run "sudo apt-get update" and try again.`)
  return found
}

/**
 * @param {string} root
 * @param {readonly string[]} names
 * @param {{ work: string, signal: AbortSignal }} options
 */
async function fetchInto(root, names, { work, signal }) {
  if (names.length === 0) return
  const debs = await mkdtemp(join(work, 'debs-'))
  // Without the option, apt run by root warns that its own user cannot write here.
  await command('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...names], {
    signal,
    cwd: debs,
  })
  for (const file of await readdir(debs)) {
    const name = file.slice(0, file.indexOf('_'))
    const [tree, control] = [join(debs, `${name}.tree`), join(debs, `${name}.control`)]
    await command('dpkg-deb', ['-x', join(debs, file), tree], { signal })
    await command('dpkg-deb', ['-e', join(debs, file), control], { signal })
    await cp(tree, root, { recursive: true, verbatimSymlinks: true, force: true })
    await record(root, { name, tree, control })
  }
}

/**
 * As dpkg records an installed package: its files, and the script that makes its users. The list is written last.
 * @param {string} root
 * @param {{ name: string, tree: string, control: string }} unpacked
 */
async function record(root, { name, tree, control }) {
  const info = join(root, INFO)
  const script = join(control, 'postinst')
  if (existsSync(script)) await writeFile(join(info, `${name}.postinst`), await readFile(script))
  const paths = (await readdir(tree, { recursive: true })).map(path => `/${path}\n`).sort()
  await writeFile(join(info, `.${name}`), `/.\n${paths.join('')}`)
  await rename(join(info, `.${name}`), join(info, `${name}.list`))
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const say = (/** @type {string} */ text) => console.error(text)
  try {
    await fetchPackages(process.argv.slice(2), { notice: say })
  } catch (failure) {
    if (!(failure instanceof FetchError)) throw failure
    say(failure.message)
    process.exitCode = 4
  }
}

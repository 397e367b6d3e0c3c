#!/usr/bin/env node
// @ts-check
/**
 * Unpacks grounds (scripts/ground/grounds.js) into `$XDG_CACHE_HOME/xcluster/ground`: another Debian with its QEMU, its
 * tools and a kernel for guests. Nothing of it is installed.
 *
 * node scripts/ground/fetch.js [--refresh] [trixie] [sid]
 */
import { realpathSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { command, FetchError } from '../setup/command.js'
import { SuiteApt } from './apt.js'
import { entering, groundEnv } from './enter.js'
import { folderOf, groundOf, grounds } from './grounds.js'
import { unpackRoot } from './unpack.js'

const format = 1

/**
 * Fetches a ground unless it is there. Resolves with whether it was fetched.
 * @param {string} name
 * @param {{ refresh?: boolean, notice?: (text: string) => void, timeoutMs?: number }} [options]
 */
export async function fetchGround(name, { refresh = false, notice = () => {}, timeoutMs = 600_000 } = {}) {
  const { suite, packages } = groundOf(name)
  const folder = folderOf(name)
  const stamp = JSON.stringify({ format, suite, packages })
  if (!refresh && (await readFile(join(folder, 'stamp.json'), 'utf8').catch(() => '')) === stamp) return false
  const signal = AbortSignal.timeout(timeoutMs)
  const draft = `${folder}.${process.pid}`
  try {
    await mkdir(draft, { recursive: true })
    notice(`${name}: fetching packages`)
    const apt = new SuiteApt({ folder: draft, signal })
    await apt.update(suite)
    const files = await apt.download(packages)
    notice(`${name}: unpacking ${files.length} packages`)
    await unpackRoot(join(draft, 'root'), files)
    await giveApt(draft)
    await rm(folder, { recursive: true, force: true })
    await rename(draft, folder)
    notice(`${name}: fetching packages for guests`)
    await fetchForGuests(name, signal)
    await writeFile(join(folder, 'stamp.json'), stamp)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return true
}

/** With the ground's own apt and dpkg, as set-up does it on such a machine. */
async function fetchForGuests(/** @type {string} */ name, /** @type {AbortSignal} */ signal) {
  const [file = '', ...args] = entering(name, ['node', 'scripts/fetch-guest.js', '--refresh'])
  await command(file, args, { env: groundEnv(process.env), signal })
}

/** The ground's own apt knows the same lists, for packages of guests. */
async function giveApt(/** @type {string} */ draft) {
  const root = join(draft, 'root')
  await rename(join(draft, 'sources.list'), join(root, 'etc/apt/sources.list'))
  await rm(join(root, 'var/lib/apt/lists'), { recursive: true, force: true })
  await rename(join(draft, 'lists'), join(root, 'var/lib/apt/lists'))
  await rm(join(draft, 'archives'), { recursive: true })
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2).filter(arg => !arg.startsWith('-'))
  const refresh = process.argv.includes('--refresh')
  try {
    for (const name of names.length > 0 ? names : Object.keys(grounds)) {
      const fetched = await fetchGround(name, { refresh, notice: text => console.error(text) })
      console.error(`${name}: ${fetched ? 'fetched into' : 'up to date in'} ${folderOf(name)}`)
    }
  } catch (failure) {
    if (!(failure instanceof FetchError) && !(failure instanceof RangeError)) throw failure
    console.error(failure.message)
    process.exitCode = 4
  }
}

import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf, settingText } from '../base/index.ts'
import { readOrdinaryFile } from '../sys/index.ts'
import { HostError } from './errors.ts'

/** What a user gives for cloud-init. */
export interface SeedSources {
  /** Public SSH keys, a line each. */
  readonly keys: readonly string[]
  /** Files for the seed, by name. */
  readonly own: Readonly<Record<string, Uint8Array>>
  /** The program xcluster-guest, for guests that do not have it. */
  readonly program?: Uint8Array
}

/** More is not a configuration: a seed is in memory once for each node. */
const mostBytes = 64 << 20

/** Reads a file with public keys and a directory with files for cloud-init; empty paths for none. Throws SEED_UNUSABLE. */
export async function readSeedSources(paths: { keys: string; folder: string }): Promise<SeedSources> {
  return { keys: await readKeys(paths.keys), own: await readOwn(paths.folder) }
}

async function readKeys(path: string): Promise<string[]> {
  if (path === '') return []
  const read = readOrdinaryFile(path, mostBytes)
  const text = await read.then(String, failure => {
    throw unusable(path, reasonOf(failure))
  })
  const isPrivate = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)
  if (isPrivate) throw unusable(path, 'it is a private key', `Give the public one: ${path}.pub`)
  const keys = text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
  const strange = keys.findIndex(line => !isKey(line))
  if (strange >= 0) throw unusable(path, `line ${strange + 1} of its keys is not a public SSH key`)
  if (keys.length === 0) throw unusable(path, 'it has no key')
  return keys
}

/** A type, perhaps after options, and the key in base64 (sshd(8), AUTHORIZED_KEYS FILE FORMAT). */
function isKey(line: string): boolean {
  return /(^|\s)(ssh-|ecdsa-|sk-)[\w.@-]+ [A-Za-z0-9+/]{16,}={0,3}(\s|$)/.test(line)
}

async function readOwn(folder: string): Promise<Record<string, Uint8Array>> {
  if (folder === '') return {}
  try {
    const names = await readdir(folder)
    const files: [string, Uint8Array][] = []
    let bytes = 0
    for (const name of names) {
      if (!(await stat(join(folder, name))).isFile()) continue
      const content = await readFile(join(folder, name))
      bytes += content.length
      if (bytes > mostBytes) throw unusable(folder, `its files have more than ${mostBytes >> 20} MiB`)
      files.push([name, content])
    }
    if (files.length === 0) throw unusable(folder, 'it has no files')
    return Object.fromEntries(files)
  } catch (failure) {
    throw failure instanceof HostError ? failure : unusable(folder, reasonOf(failure))
  }
}

function unusable(
  target: string,
  reason: string,
  remedy = `Give a file with public keys (${settingText('sshKey')}) and a directory with user-data (${settingText('cidata')})`,
): HostError {
  return new HostError({
    code: 'SEED_UNUSABLE',
    kind: 'usage',
    op: 'configure cloud-init with',
    target,
    reason,
    remedy,
  })
}

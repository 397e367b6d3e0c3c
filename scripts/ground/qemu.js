// @ts-check
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { folderOf } from './grounds.js'

/** QEMU, its libraries and its firmware. */
const libraries = 'usr/lib/x86_64-linux-gnu'
const parts = ['usr/bin', 'usr/share/qemu', 'usr/share/seabios', 'usr/lib/ipxe', libraries]

/**
 * Makes a ground's QEMU runnable from here, for comparisons in one process: a script that starts it with its own
 * libraries (4 ms more than QEMU alone on a fast machine), below `folder`, which QEMU's users must be able to reach. Returns the script.
 * @param {string} name
 * @param {string} folder
 */
export function makeQemu(name, folder) {
  const root = join(folder, name)
  for (const part of parts) {
    const into = dirname(join(root, part))
    mkdirSync(into, { recursive: true })
    const from = join(folderOf(name), 'root', part)
    // Links where both are in one file system, else copies.
    if (spawnSync('cp', ['-al', from, into]).status !== 0) spawnSync('cp', ['-a', from, into])
  }
  return writeScript(root, root)
}

/**
 * The same script for this machine's own QEMU, so that a comparison has its time on both sides. Returns it.
 * @param {string} folder
 */
export function wrapOwnQemu(folder) {
  const place = join(folder, 'home')
  mkdirSync(place, { recursive: true })
  return writeScript('/', place)
}

/**
 * @param {string} root where QEMU and its libraries are
 * @param {string} place the folder of the script
 */
function writeScript(root, place) {
  const lib = join(root, libraries)
  const script = join(place, 'qemu-system-x86_64')
  const firmware = ['usr/share/qemu', 'usr/share/seabios', 'usr/lib/ipxe/qemu'].map(
    part => `-L ${join(root, part)}`,
  )
  const words = [
    `exec ${join(lib, 'ld-linux-x86-64.so.2')} --library-path ${lib} --argv0 qemu-system-x86_64`,
    `${join(root, 'usr/bin/qemu-system-x86_64')} ${firmware.join(' ')} "$@"`,
  ]
  const modules = `export QEMU_MODULE_DIR=${join(lib, 'qemu')}`
  writeFileSync(script, `#!/bin/sh\n${modules}\n${words.join(' ')}\n`, { mode: 0o755 })
  return script
}

/** The folder with a ground's kernel for guests: a value for `--kernel`. @param {string} name */
export function kernelOf(name) {
  const fetched = join(folderOf(name), 'root/var/cache/xcluster/fetched/root')
  readdirSync(fetched) // says what is missing
  return fetched
}

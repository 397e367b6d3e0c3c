#!/usr/bin/env node
// @ts-check
/**
 * Runs a command on a ground (scripts/ground/grounds.js): the root directory is that of the other Debian, in a mount
 * namespace that ends with the command. The kernel, its devices, /tmp, this folder and Node stay those of this machine.
 * The cache is one of the ground's own.
 *
 * node scripts/ground/enter.js trixie|sid COMMAND [ARGUMENTS …]
 */
import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inProject } from '../setup/project.js'
import { folderOf, groundOf } from './grounds.js'

/** pivot_root instead of chroot: in a chroot no user namespace can be made (user_namespaces(7)). */
const script = `
  root=$1 project=$2 node=$3; shift 3
  mount --bind "$root" "$root"
  for each in proc sys dev tmp; do mount --rbind /$each "$root/$each"; done
  mount -t tmpfs -o mode=755 none "$root/run"
  [ ! -d /run/lock ] || mkdir "$root/run/lock"
  mkdir -p "$root$project"
  mount --rbind "$project" "$root$project"
  touch "$root/usr/local/bin/node" "$root/etc/resolv.conf"
  mount --bind "$node" "$root/usr/local/bin/node"
  mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
  old=$root/run/old; mkdir "$old"
  cd "$root"; pivot_root . "$old"
  umount -l /run/old; rmdir /run/old
  cd "$project"; exec "$@"`

/**
 * The command line that runs `command` on a ground. It takes root.
 * @param {string} name
 * @param {readonly string[]} command
 * @param {{ cacheDir?: string | undefined, node?: string }} [options] `node`: the program `node` of the ground
 */
export function entering(name, command, { cacheDir, node = process.execPath } = {}) {
  const root = join(folderOf(name, cacheDir), 'root')
  const mounts = ['unshare', '--mount', '--propagation=private', 'sh', '-euc', script, 'sh']
  return [...mounts, root, inProject().replace(/\/$/, ''), realpathSync(node), ...command]
}

/**
 * The environment of a command on a ground: only what names nothing of this machine.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function groundEnv(env) {
  const kept = Object.entries(env).filter(([name]) =>
    /^(TERM|LANG|LC_\w+|TMPDIR|CI|XCLUSTER_\w+|\w+_proxy)$/i.test(name),
  )
  const places = { HOME: '/root', XDG_CACHE_HOME: '/var/cache' }
  return { ...Object.fromEntries(kept), ...places, PATH: '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }
}

function enter(/** @type {readonly string[]} */ [name = '', ...command]) {
  groundOf(name)
  if (!existsSync(join(folderOf(name), 'root')))
    throw new RangeError(`${name} has not been fetched: run "node scripts/ground/fetch.js ${name}" first.`)
  if (process.getuid?.() !== 0) throw new RangeError('Only root can enter a ground: it mounts file systems.')
  const [file = '', ...args] = entering(name, command.length > 0 ? command : ['bash'])
  const child = spawn(file, args, { stdio: 'inherit', env: groundEnv(process.env) })
  child.on('close', (code, signal) => {
    process.exitCode = code ?? (signal ? 1 : 0)
  })
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    enter(process.argv.slice(2))
  } catch (failure) {
    if (!(failure instanceof RangeError)) throw failure
    console.error(failure.message)
    process.exitCode = 2
  }
}

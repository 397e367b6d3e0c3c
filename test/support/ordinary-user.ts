import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NetNamespace } from '../../src/sys/index.ts'

/** How the environment of an {@link OrdinaryUser} differs from the usual one. */
export interface World {
  /** Mode of /dev/net/tun. Most systems have 0666. */
  readonly tunMode?: string
  /** The network that serves as the host's. */
  readonly host?: NetNamespace
  /** In a chroot no process can create user namespaces (user_namespaces(7)). */
  readonly chroot?: boolean
}

const project = fileURLToPath(new URL('../..', import.meta.url))
const fetched = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'xcluster/fetched')

/**
 * A user without root's privileges and without capabilities, with a home of its own. Its commands run with
 * mounts of their own, which are made for the test and go with the last process: a /dev/net/tun that every
 * user can open, and the project in a place that the user can read, whatever the directories above the
 * checkout allow. Root makes it.
 */
export class OrdinaryUser {
  readonly uid = 20_000 + (process.pid % 30_000)
  readonly home = mkdtempSync(join(tmpdir(), 'xc-user-'))
  /** The path of the project for this user. */
  readonly project = join(this.home, 'project')
  readonly env: NodeJS.ProcessEnv

  constructor() {
    const { XCLUSTER_NAME: _, XDG_STATE_HOME: _state, XDG_CACHE_HOME: _cache, ...env } = process.env
    for (const name of [
      'project',
      'root',
      'run',
      'tmp',
      '.cache',
      '.cache/xcluster',
      '.cache/xcluster/fetched',
    ])
      mkdirSync(join(this.home, name))
    for (const name of ['.', 'run', 'tmp', '.cache', '.cache/xcluster'])
      chownSync(join(this.home, name), this.uid, this.uid)
    chmodSync(this.home, 0o755)
    const { home } = this
    this.env = { ...env, HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), TMPDIR: join(home, 'tmp') }
  }

  /** Why nothing can be tested as this user here. */
  whyNot(): string | undefined {
    if (process.geteuid!() !== 0) return 'only root can become another user'
    if (!existsSync('/dev/net')) return 'this machine has no /dev/net'
    const { status, stderr } = this.run(['node', '-e', 'require("node:net")'])
    if (status !== 0) return `an unprivileged user cannot run programs here: ${stderr.trim()}`
    return existsSync(fetched) ? undefined : `there are no guest packages in ${fetched}`
  }

  /**
   * The command line with which root starts a command as this user, in the project's folder. `node` is the
   * Node that runs this.
   */
  command(command: readonly string[], world: World = {}): string[] {
    const host = world.host ? ['nsenter', `--net=${world.host.path}`] : []
    const mounts = ['unshare', '--mount', '--propagation=private', 'sh', '-euc', this.#script(world), 'sh']
    return [...host, ...mounts, ...command]
  }

  /** Runs a command to its end. */
  run(
    command: readonly string[],
    world: World = {},
  ): { status: number | null; stdout: string; stderr: string } {
    const [file, ...args] = this.command(command, world)
    return spawnSync(file!, args, { env: this.env, encoding: 'utf8' })
  }

  #script({ tunMode = '0666', chroot = false }: World): string {
    const { home, uid } = this
    const become = `setpriv --reuid ${uid} --regid ${uid} --clear-groups --inh-caps=-all --bounding-set=-all`
    const inside = `cd ${this.project} && exec "$@"`
    return `
      mount -t tmpfs -o mode=755 none /dev/net
      mknod -m ${tunMode} /dev/net/tun c 10 200
      mount --bind '${project}' ${this.project}
      [ ! -d '${fetched}' ] || mount --bind '${fetched}' ${home}/.cache/xcluster/fetched
      ${chroot ? `mount --rbind / ${home}/root` : ''}
      [ "$1" != node ] || { shift; set -- '${process.execPath}' "$@"; }
      exec ${chroot ? `chroot ${home}/root` : ''} ${become} sh -c '${inside}' sh "$@"`
  }
}

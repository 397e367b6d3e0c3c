import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NetNamespace } from '../../src/sys/index.ts'

/** How the world of {@link OrdinaryUser} differs from the usual one. */
export interface World {
  /** Mode of /dev/net/tun; 0666 is what most systems have. */
  readonly tunMode?: string
  /** The network that is the host's for him. */
  readonly host?: NetNamespace
  /** In a chroot nobody may make user namespaces (user_namespaces(7)). */
  readonly chroot?: boolean
}

const project = fileURLToPath(new URL('../..', import.meta.url))
const fetched = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'xcluster/fetched')

/**
 * Somebody who is not root and has no capability, with a home of his own. What he runs has mounts of its own, that
 * are made for the test and go with the last process: a /dev/net/tun for everybody, and the project in a place that
 * he can read, whatever the directories above the checkout allow. Made by root.
 */
export class OrdinaryUser {
  readonly uid = 20_000 + (process.pid % 30_000)
  readonly home = mkdtempSync(join(tmpdir(), 'xc-user-'))
  /** Where he sees the project. */
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

  /** Why nothing can be tested as him here. */
  whyNot(): string | undefined {
    if (process.geteuid!() !== 0) return 'it takes root to become somebody else'
    if (!existsSync('/dev/net')) return 'this machine has no /dev/net'
    const { status, stderr } = this.run(['node', '-e', 'require("node:net")'])
    if (status !== 0) return `an ordinary user cannot run anything here: ${stderr.trim()}`
    return existsSync(fetched) ? undefined : `there are no guest packages in ${fetched}`
  }

  /** The command as root has to start it; its `cwd` is the project. `node` is the Node that runs this. */
  command(command: readonly string[], world: World = {}): string[] {
    const host = world.host ? ['nsenter', `--net=${world.host.path}`] : []
    const mounts = ['unshare', '--mount', '--propagation=private', 'sh', '-euc', this.#script(world), 'sh']
    return [...host, ...mounts, ...command]
  }

  /** Runs it to its end. */
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

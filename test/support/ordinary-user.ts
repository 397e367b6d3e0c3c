import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NetNamespace } from '../../src/sys/index.ts'

/** How the environment of an {@link OrdinaryUser} differs from the usual one. */
export interface World {
  /** Mode of /dev/net/tun; 0666 is what most systems have. */
  readonly tunMode?: string
  /** The namespace that is the host's network for this user. */
  readonly host?: NetNamespace
  /** Runs in a chroot, in which no user namespaces can be made (user_namespaces(7)). */
  readonly chroot?: boolean
}

const project = fileURLToPath(new URL('../..', import.meta.url))
const fetched = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'xcluster/fetched')

/**
 * An unprivileged user without capabilities, with its own home. Its commands run in a mount namespace that is made for
 * the test and ends with the last process: it has a /dev/net/tun that all users may open, and a bind mount of the
 * project that the user can read, whatever the permissions above the checkout are. Only root can make it.
 *
 * All users of a run of tests have one uid, one cache and one path of the project, so that the guest image and templates
 * are made once.
 */
export class OrdinaryUser {
  readonly uid = 20_000 + (process.ppid % 30_000) // the same in all files: the runner is their parent
  readonly home = mkdtempSync(join(tmpdir(), 'xc-user-'))
  /** The path of the project for this user. */
  readonly project = join(tmpdir(), `xc-project-of-${this.uid}`)
  readonly env: NodeJS.ProcessEnv
  readonly #cache = join(tmpdir(), `xc-cache-of-${this.uid}`)

  constructor() {
    const { XCLUSTER_NAME: _, XDG_STATE_HOME: _state, ...env } = process.env
    for (const name of ['root', 'run', 'tmp']) mkdirSync(join(this.home, name))
    for (const path of [this.project, `${this.#cache}/xcluster/fetched`]) mkdirSync(path, { recursive: true })
    const own = ['.', 'run', 'tmp'].map(name => join(this.home, name))
    for (const path of [...own, this.#cache, `${this.#cache}/xcluster`]) chownSync(path, this.uid, this.uid)
    chmodSync(this.home, 0o755)
    const [runtime, TMPDIR] = [join(this.home, 'run'), join(this.home, 'tmp')]
    this.env = { ...env, HOME: this.home, XDG_RUNTIME_DIR: runtime, XDG_CACHE_HOME: this.#cache, TMPDIR }
  }

  /** The reason why this machine cannot run tests as this user; undefined if it can. */
  whyNot(): string | undefined {
    if (process.geteuid!() !== 0) return 'it takes root to become another user'
    if (!existsSync('/dev/net')) return 'this machine has no /dev/net'
    const { status, stderr } = this.run(['node', '-e', 'require("node:net")'])
    if (status !== 0) return `an unprivileged user cannot run Node here: ${stderr.trim()}`
    return existsSync(fetched) ? undefined : `there are no guest packages in ${fetched}`
  }

  /** The command for root to start. It runs in the project's directory, and `node` is the Node that runs this. */
  command(command: readonly string[], world: World = {}): string[] {
    const host = world.host ? ['nsenter', `--net=${world.host.path}`] : []
    const mounts = ['unshare', '--mount', '--propagation=private', 'sh', '-euc', this.#script(world), 'sh']
    return [...host, ...mounts, ...command]
  }

  /** Runs a command and waits for its end. */
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
    const inside = `cd "${this.project}" && exec "$@"`
    return `
      mount -t tmpfs -o mode=755 none /dev/net
      mknod -m ${tunMode} /dev/net/tun c 10 200
      mount --bind '${project}' '${this.project}'
      [ ! -d '${fetched}' ] || mount --bind '${fetched}' '${this.#cache}/xcluster/fetched'
      ${chroot ? `mount --rbind / ${home}/root` : ''}
      [ "$1" != node ] || { shift; set -- '${process.execPath}' "$@"; }
      exec ${chroot ? `chroot ${home}/root` : ''} ${become} sh -c '${inside}' sh "$@"`
  }
}

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { inProject } from '../house/project.ts'

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Packs this project, native code for all platforms included. Returns the tarball. */
export function packTarball(): string {
  const folder = mkdtempSync(join(tmpdir(), 'xc-tarball-'))
  const args = ['pack', '--json', '--pack-destination', folder]
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: inProject(), encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm pack: ${status}\n${stderr}`)
  return join(folder, (JSON.parse(stdout) as [{ filename: string }])[0].filename)
}

/** A project of a user: a folder with nothing in it, and a home, cache, state and runtime directory as empty. */
export class Consumer {
  readonly root = mkdtempSync(join(tmpdir(), 'xc-consumer-'))
  readonly folder = join(this.root, 'app')
  readonly env: NodeJS.ProcessEnv

  constructor() {
    for (const name of ['app', 'home', 'cache', 'state', 'run']) mkdirSync(join(this.root, name))
    const kept = Object.entries(process.env).filter(
      ([name]) => !/^(npm_|XCLUSTER|__|VITEST|NODE_|INIT_CWD)/.test(name),
    )
    const { root } = this
    this.env = {
      ...Object.fromEntries(kept),
      XDG_CACHE_HOME: join(root, 'cache'),
      XDG_STATE_HOME: join(root, 'state'),
      XDG_RUNTIME_DIR: join(root, 'run'),
      NO_COLOR: '1',
    }
  }

  /** The installed package. */
  get installed(): string {
    return join(this.folder, 'node_modules/xcluster')
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true })
    writeFileSync(join(this.folder, name), text)
  }

  run([file, ...args]: readonly string[], env: NodeJS.ProcessEnv = {}): Outcome {
    return spawnSync(file!, args, { cwd: this.folder, env: { ...this.env, ...env }, encoding: 'utf8' })
  }

  /** As {@link run}, but throws for a status other than 0. */
  good(command: readonly string[], env: NodeJS.ProcessEnv = {}): Outcome {
    const outcome = this.run(command, env)
    if (outcome.status === 0) return outcome
    throw new Error(`${command.join(' ')}: ${outcome.status}\n${outcome.stdout}${outcome.stderr}`)
  }

  /** A PATH that has only these programs. */
  pathWith(programs: readonly string[]): NodeJS.ProcessEnv {
    const folder = mkdtempSync(join(this.root, 'bin-'))
    for (const name of programs) symlinkSync(locate(name), join(folder, name))
    return { PATH: folder }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

function locate(program: string): string {
  if (program === 'node') return process.execPath
  const { stdout } = spawnSync('sh', ['-c', `command -v ${program}`], {
    encoding: 'utf8',
    env: { PATH: [process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter) },
  })
  return stdout.trim()
}

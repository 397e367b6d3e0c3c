import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The absolute path of a file of the project. */
export const inProject = (...parts: string[]): string => join(root, ...parts)

export interface SourceFile {
  /** Relative to the project's folder: `src/base/index.ts`. */
  readonly path: string
  readonly text: string
}

/** Every file below these folders whose path matches `ending`, with its text. */
export function readFiles(folders: readonly string[], ending: RegExp): SourceFile[] {
  return folders
    .filter(folder => existsSync(inProject(folder)))
    .flatMap(folder =>
      readdirSync(inProject(folder), { recursive: true, encoding: 'utf8' }).map(name => join(folder, name)),
    )
    .filter(path => ending.test(path))
    .sort()
    .map(path => ({ path, text: readText(path) }))
}

export const readText = (path: string): string => readFileSync(inProject(path), 'utf8')

/** Runs one of the project's tools. Returns its exit status and its output. */
export function runTool(script: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [inProject(script), ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  })
  return { status, output: stdout + stderr }
}

/** The modules that package.json exports, by the names that programs import. `xcluster/trace` exports nothing, `xcluster/config` types. */
export const exportedModules: readonly { readonly name: string; readonly path: string }[] = Object.entries(
  (JSON.parse(readText('package.json')) as { exports: Record<string, { default: string } | string> }).exports,
).flatMap(([name, target]) =>
  typeof target === 'string' || ['./trace', './config'].includes(name)
    ? []
    : [{ name: name.replace('.', 'xcluster'), path: target.default }],
)

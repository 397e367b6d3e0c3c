import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { inProject, readText, runTool } from '../house/project.ts'

/** README's library example, as a user would save it. */
export function readmeExample(): string {
  const blocks = [...readText('README.md').matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
  if (blocks.length !== 1) throw new Error(`README.md has ${blocks.length} TypeScript examples, not one`)
  return blocks[0]![1]!
}

export interface Compiled {
  /** The exit status of the compiler: 0 without errors. */
  readonly status: number | null
  readonly output: string
  readonly script: string
  /** The caller removes it. */
  readonly folder: string
}

const options =
  '--ignoreConfig --strict --target es2023 --lib es2023,esnext.disposable --module nodenext --types node --skipLibCheck'

/** Compiles a user's module that imports this package by its name, against the build. */
export function compile(text: string): Compiled {
  mkdirSync(inProject('build'), { recursive: true })
  const folder = mkdtempSync(inProject('build', 'example-'))
  const file = join(folder, 'example.ts')
  writeFileSync(file, text)
  const compiler = 'node_modules/typescript/bin/tsc'
  return {
    ...runTool(compiler, ...options.split(' '), relative(inProject(), file)),
    script: join(folder, 'example.js'),
    folder,
  }
}

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { exportedModules, inProject, readFiles } from './project.ts'

const directory = mkdtempSync(join(tmpdir(), 'xcluster-consumer-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** Declares the parameters and the result of everything that a module exports, so that each of their types needs a name. */
async function usesOf({ name, path }: (typeof exportedModules)[number]): Promise<string> {
  const found = (await import(inProject(path))) as Record<string, unknown>
  const lines = Object.entries(found).flatMap(([export_, value]) => {
    const is = `typeof m.${export_}`
    if (typeof value !== 'function') return [`export const ${export_}Value = m.${export_}`]
    if (/^class/.test(String(value)))
      return [
        `export const ${export_}Members = type<{ [K in keyof (${is})['prototype']]: (${is})['prototype'][K] }>()`,
      ]
    return [
      `export const ${export_}Result = type<ReturnType<${is}>>()`,
      `export const ${export_}Parameters = type<Parameters<${is}>>()`,
    ]
  })
  return `import * as m from '${name}'\ndeclare function type<T>(): T\n${lines.join('\n')}\n`
}

/** A project that has the package as npm would install it. */
function install(): void {
  const installed = join(directory, 'node_modules/xcluster')
  for (const { path, text } of readFiles(['dist'], /\.d\.ts$/)) {
    mkdirSync(dirname(join(installed, path)), { recursive: true })
    writeFileSync(join(installed, path), text)
  }
  cpSync(inProject('package.json'), join(installed, 'package.json'))
  cpSync(inProject('node_modules/@types/node'), join(directory, 'node_modules/@types/node'), {
    recursive: true,
  })
  cpSync(inProject('node_modules/undici-types'), join(directory, 'node_modules/undici-types'), {
    recursive: true,
  })
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  const compilerOptions = {
    ...{ declaration: true, outDir: 'out', module: 'nodenext', target: 'es2022', strict: true },
    ...{ lib: ['es2023', 'esnext.disposable'], types: ['node'] },
  }
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
}

test('the declarations can be read by TypeScript 5.4, where Uint8Array is not generic', () => {
  const declarations = readFiles(['dist'], /\.d\.ts$/)
  expect(declarations.length).toBeGreaterThan(200)
  expect(declarations.filter(({ text }) => /Uint8Array<|Buffer</.test(text)).map(({ path }) => path)).toEqual(
    [],
  )
})

test('a library that uses the package and has declarations of its own can name every type that it meets', async () => {
  expect(exportedModules.length).toBeGreaterThan(7)
  install()
  for (const each of exportedModules)
    writeFileSync(join(directory, `${each.name.replace('/', '-')}.ts`), await usesOf(each))
  const compiler = inProject('node_modules/typescript/bin/tsc')
  const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', directory, '--pretty', 'false'], {
    encoding: 'utf8',
  })
  expect(stdout.split('\n').filter(line => line !== '')).toEqual([])
  expect(status).toBe(0)
})

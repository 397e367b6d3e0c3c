import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importsOf } from './floors.ts'
import { readFiles, type SourceFile } from './project.ts'

const source = readFiles(['src'], /\.ts$/)

/** Groups of files that import each other, directly or indirectly. Imports of types and `import()` count. */
function circles(files: readonly SourceFile[]): string[][] {
  const graph = new Map(
    files.map(({ path, text }) => [
      path,
      importsOf(text)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => join(dirname(path), specifier)),
    ]),
  )
  const reach = (from: string): Set<string> => {
    const seen = new Set<string>()
    const waiting = [...(graph.get(from) ?? [])]
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (seen.has(path)) continue
      seen.add(path)
      waiting.push(...(graph.get(path) ?? []))
    }
    return seen
  }
  const reached = new Map([...graph.keys()].map(path => [path, reach(path)]))
  const together = [...graph.keys()].flatMap(path =>
    reached.get(path)!.has(path)
      ? [[...graph.keys()].filter(other => reached.get(path)!.has(other) && reached.get(other)!.has(path))]
      : [],
  )
  return [...new Map(together.map(circle => [circle.join(), circle])).values()]
}

/** Folders with more than `most` files. */
function crowded(files: readonly SourceFile[], most: number): string[] {
  const counts = new Map<string, number>()
  for (const { path } of files) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1)
  return [...counts].filter(([, count]) => count > most).map(([folder, count]) => `${folder}: ${count} files`)
}

describe('the source tree', () => {
  test('has no circles of imports', () => {
    expect(circles(source)).toEqual([])
  })

  test('has at most 20 files in a folder', () => {
    expect(crowded(source, 20)).toEqual([])
  })
})

describe('the checks of the source tree', () => {
  test('find a planted circle, also of type imports', () => {
    const file = (path: string, to: string) => ({ path, text: `import type { A } from '${to}'` })
    const planted = [file('src/a.ts', './b.ts'), file('src/b.ts', './c.ts'), file('src/c.ts', './b.ts')]
    expect(circles(planted)).toEqual([['src/b.ts', 'src/c.ts']])
  })

  test('find a crowded folder', () => {
    const planted = Array.from({ length: 3 }, (_, i) => ({ path: `src/vm/${i}.ts`, text: '' }))
    expect(crowded(planted, 2)).toEqual(['src/vm: 3 files'])
    expect(crowded(planted, 3)).toEqual([])
  })
})

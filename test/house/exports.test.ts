import { expect, test } from 'vitest'
import { exportedModules, inProject, readFiles, readText } from './project.ts'

const pages = [readText('README.md'), ...readFiles(['docs'], /\.md$/).map(({ text }) => text)].join('\n')

test.each(exportedModules)('every value that $name exports stands on a page', async ({ path }) => {
  const names = Object.keys((await import(inProject(path))) as object)
  expect(names.length).toBeGreaterThan(2)
  expect(names.filter(name => !new RegExp(`\\b${name}\\b`).test(pages))).toEqual([])
})

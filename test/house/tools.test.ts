import { describe, expect, test } from 'vitest'
import { runTool } from './project.ts'

/** The same calls as those of `npm run lint`, `npm run types` and `npm run knip`. */
describe('the tools report nothing:', () => {
  test.each([
    ['lint and format', 'node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']],
    [
      'types, tests and scripts included',
      'node_modules/typescript/bin/tsc',
      ['-p', 'tsconfig.check.json', '--pretty', 'false'],
    ],
    ['unused files, exports and dependencies', 'node_modules/knip/bin/knip.js', []],
  ])('%s', (_, script, args) => {
    const { status, output } = runTool(script, ...args)
    expect(status, output.slice(-6000)).toBe(0)
  })
})

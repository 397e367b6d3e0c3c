import { expect, test } from 'vitest'
import { withoutChecks } from '../../../bench/trace/without-checks.ts'
import { readFiles } from '../../house/project.ts'

test('the benchmark without traces removes every check of `trace.on`, and nothing else', () => {
  const code =
    'if (trace.on) a()\nif (this.#trace.on)\n  b()\nif (this.#options.trace.on) c()\nif (port.on) d()'
  expect(withoutChecks(code)).toEqual({
    code: 'if (false) a()\nif (false)\n  b()\nif (false) c()\nif (port.on) d()',
    checks: 3,
  })
})

test('the sources check traces in one way only, so that the benchmark can remove all checks', () => {
  const looks = readFiles(['src'], /\.ts$/).flatMap(({ path, text }) =>
    withoutChecks(text)
      .code.split('\n')
      .filter(line => /trace\.on\b/.test(line) && !/^\s*(return |\* )/.test(line))
      .map(line => `${path}: ${line.trim()}`),
  )
  expect(looks).toEqual([
    'src/dns/workers/pool.ts: const workerData: ThreadData = { options, traced: trace.on }',
  ])
})

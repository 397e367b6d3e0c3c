import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { traceAreas } from '../../../../src/base/index.ts'
import { inProject, readText } from '../../../house/project.ts'
import { compile } from '../../../support/readme.ts'

const page = readText('docs/tracing.md')

test("docs/tracing.md's example compiles against the built package and prints what it says", () => {
  const [, text] = /^```ts\n([\s\S]*?)^```$/m.exec(page)!
  const { script, folder, output } = compile(text!)
  try {
    expect(output).toBe('')
    const { stdout, stderr } = spawnSync(process.execPath, [script], { cwd: inProject(), encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(stdout.replace(/^\S+Z /gm, '').replace(/\(.*? ms\) /, '')).toBe(
      [
        'dns <- udp 127.0.0.1:40000: A a. {id: 7, bytes: 19}\n',
        'dns -> udp 127.0.0.1:40000: A a. NOERROR from own {id: 7, bytes: 35, source: own, rcode: NOERROR, records: ["a. 5 IN A 192.0.2.1"]}\n',
      ].join(''),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('docs/tracing.md has each area, with lines of both directions', () => {
  for (const area of traceAreas) {
    const [, lines = ''] =
      new RegExp(`^### \`${area}\`\n\n\`\`\`\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page) ?? []
    for (const arrow of ['->', '<-']) expect(lines).toContain(`${area} ${arrow} `)
    expect(
      lines
        .trimEnd()
        .split('\n')
        .filter(line => !/^\w+ (->|<-|--) [^:]+\S*: /.test(line)),
    ).toEqual([])
  }
})

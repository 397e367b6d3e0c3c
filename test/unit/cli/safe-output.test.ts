import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { XclusterError } from '../../../src/base/index.ts'
import { explain } from '../../../src/cli/errors.ts'
import { linesOf } from '../../../src/cli/start/progress.ts'
import { clusterTable } from '../../../src/cli/view/cluster.ts'
import { LogText } from '../../../src/cli/view/log-text.ts'
import type { Status } from '../../../src/client/index.ts'

const output = new URL('../../../dist/cli/output.js', import.meta.url).href
const title = '\x1b]0;owned\x07'
const shown = '\\x1b]0;owned\\x07'

/** What a program that calls this function of `output.ts` writes. */
function written(call: string): { stdout: string; stderr: string } {
  const code = `import * as output from '${output}'; await output.${call}`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
  })
  return { stdout, stderr }
}

describe('everything that xc prints shows control characters as escapes:', () => {
  const text = JSON.stringify(`a\t${title}\u009b\u202e\n`)

  test('results and messages', () => {
    expect(written(`print(${text})`).stdout).toBe(`a\t${shown}\\x9b\\u202e\n`)
    expect(written(`tell(${text})`).stderr).toBe(`a\t${shown}\\x9b\\u202e\n\n`)
  })

  test('JSON, whose value stays the same', () => {
    const { stdout } = written(`printJson({ text: ${text} })`)
    expect(stdout).toBe('{"text":"a\\t\\u001b]0;owned\\u0007\\u009b\\u202e\\n"}\n')
    expect(JSON.parse(stdout)).toEqual({ text: JSON.parse(text) })
  })

  test('but not the output of a command in a guest', () => {
    expect(written(`printRaw(${text})`).stdout).toBe(JSON.parse(text))
  })

  test('errors, which forge no line of xc', () => {
    const failure = new XclusterError({ code: 'A', reason: `it said ${title}\r\nxc: forged` })
    const line = `xc: it said ${shown}\\x0d\n  xc: forged.\n`
    expect(explain(failure, false)).toBe(line)
    expect(explain(failure, true)).not.toMatch(/^xc: forged|\p{Cc}(?<!\n)/mu)
    expect(explain(new Error(`${title}\nxc: forged`), false)).toMatch(
      /^xc: internal error: \\x1b.*\n {2}xc: forged/,
    )
  })

  test('the reasons and warnings of nodes, and notices', () => {
    const node = { id: 1, name: 'vm-001', role: 'vm', milestones: {}, console: '', nets: [] } as const
    const nodes = [
      { ...node, state: 'failed', reason: `panic ${title}\nvm-002: forged` },
      { ...node, state: 'ready', warning: 'its clock is late' },
    ]
    const status = { v: 1, name: 'a', state: 'ready', netns: '', nodes } as unknown as Status
    expect(clusterTable(status)).toContain(
      `vm-001: panic ${shown}\n  vm-002: forged\nvm-001: its clock is late\n`,
    )
    const lines: string[] = []
    linesOf(line => lines.push(line)).show({ type: 'notice', text: `${title}\nxc: forged` })
    expect(lines).toEqual([`note: ${shown}\n  xc: forged`])
  })
})

describe('the log of a console as text', () => {
  const textOf = (...pieces: readonly (string | Uint8Array)[]) => {
    const text = new LogText()
    return pieces.map(piece => text.push(Buffer.from(piece as string))).join('') + text.end()
  }

  test('has newlines for line ends, and escapes for the rest', () => {
    expect(textOf(`login\r\n${title}50%\r60%\r\n\tend\r\r\n`)).toBe(`login\n${shown}50%\\x0d60%\n\tend\n`)
  })

  test('is the same however it is cut', () => {
    const whole = Buffer.from(`ä\r\n${title}\u202e€\r\r\n\r`)
    for (let at = 0; at <= whole.length; at++)
      expect(textOf(whole.subarray(0, at), whole.subarray(at))).toBe(textOf(whole))
  })

  test('shows bytes that are not UTF-8 as U+FFFD', () => {
    expect(textOf(Uint8Array.of(0x61, 0x9b, 0x32, 0x4a, 0xff))).toBe('a\ufffd2J\ufffd')
  })
})

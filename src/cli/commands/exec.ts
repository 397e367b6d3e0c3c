import { fstatSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import type { Command } from 'commander'
import { verbs } from '../../api/index.ts'
import type { XclusterError } from '../../base/index.ts'
import { explain } from '../errors.ts'
import { nameOption, timeoutOption } from '../options/shared.ts'
import { print, printJson, tell } from '../output.ts'
import { type CommonOptions, clientOf, type Session, timeoutOf } from '../session.ts'

interface ExecOptions extends CommonOptions {
  readonly stdin?: boolean
}

export function configure(command: Command, session: Session): void {
  command
    .argument('<node>', verbs.exec.asks.node.doc)
    .argument('<command...>', `${verbs.exec.asks.argv.doc}, after --`)
    .usage('NODE [options] -- COMMAND…')
    .option(...nameOption)
    .option('-i, --stdin', 'pass on standard input; the default when that is a file or a pipe')
    .option('-n, --no-stdin', 'do not pass on standard input')
    .option('--json', "print one JSON value (docs/json.md); the exit status is still the command's")
    .option(...timeoutOption)
    .addHelpText(
      'after',
      `\nThe exit status is the command's. The command runs without a shell, unless you name one: -- sh -c '…'`,
    )
    .action((node: string, argv: string[], options: ExecOptions) => exec(session, { node, argv, options }))
}

interface Exec {
  readonly node: string
  readonly argv: readonly string[]
  readonly options: ExecOptions
}

async function exec(session: Session, { node, argv, options }: Exec): Promise<void> {
  const timeoutMs = timeoutOf(options)
  // The command's own timeout comes first, with a better message. That of the connection is for an owner that hangs.
  const patience = timeoutMs === undefined ? {} : { timeout: String(timeoutMs / 1000 + 5) }
  const { timeout: _, ...others } = options
  const input = (options.stdin ?? isGiven()) ? await buffer(process.stdin) : undefined
  const question = { argv, ...(input && { input }), ...(timeoutMs !== undefined && { timeoutMs }) }
  const client = clientOf(session, { ...others, ...patience })
  const answer = await client.exec(node, question).catch(notRun)
  if (!answer) return
  const { status, signal, stdout, stderr, truncated } = answer
  if (options.json) {
    const text = { stdout: Buffer.from(stdout).toString(), stderr: Buffer.from(stderr).toString() }
    printJson({ v: 1, status, ...(signal !== undefined && { signal }), ...text, truncated })
  } else {
    print(stdout)
    process.stderr.write(stderr)
    if (truncated.stdout || truncated.stderr)
      tell('xc: the guest agent kept only the beginning of the output.')
  }
  process.exitCode = status
}

/** Exit status as in a shell: 127 for a program that the guest does not have, 126 for one that it may not run. */
function notRun(failure: unknown): undefined {
  const { code, reason = '' } = failure as Partial<XclusterError>
  const [, why] = /Failed to execute child process.*\((.*)\)/.exec(reason) ?? []
  if (code !== 'QMP_COMMAND' || why === undefined) throw failure
  process.stderr.write(explain(failure, false))
  process.exitCode = why === 'Permission denied' ? 126 : 127
}

/**
 * True for `… | xc exec` and `xc exec … < file`. False for a socket: Node gives its children sockets that end only
 * with the parent, and reading one to its end could take forever.
 */
function isGiven(): boolean {
  try {
    const kind = fstatSync(0)
    return kind.isFIFO() || kind.isFile()
  } catch {
    return false // closed
  }
}

import { type Command, Option } from 'commander'
import { verbs } from '../../api/index.ts'
import { nodeName, systemClock, type XclusterError } from '../../base/index.ts'
import { readInput } from '../input.ts'
import { nameOption, timeoutOption } from '../options/shared.ts'
import { printJson, report } from '../output.ts'
import { type CommonOptions, clientOf, type Session, timeoutOf } from '../session.ts'

interface ExecOptions extends CommonOptions {
  readonly stdin?: boolean
  readonly tty?: boolean
}

export function configure(command: Command, session: Session): void {
  command
    .argument('<node>', verbs.exec.asks.node.doc)
    .argument('<command...>', `${verbs.exec.asks.argv.doc}, after --`)
    .usage('NODE [options] -- COMMAND…')
    .option(...nameOption)
    .option('-i, --stdin', 'pass on standard input, to its end')
    .addOption(
      new Option('-n', 'leave standard input alone, as `ssh -n` does: the default').conflicts('stdin'),
    )
    .addOption(
      new Option('-t, --tty', 'run it on a terminal, whose size follows yours; with -i').conflicts('json'),
    )
    .option('--json', "print one JSON value (docs/json.md); the exit status is still the command's")
    .option(...timeoutOption)
    .addHelpText('after', help)
    .action((node: string, argv: string[], options: ExecOptions) => exec(session, { node, argv, options }))
}

const help = `
The exit status is the command's. The command runs without a shell, unless you name one: -- sh -c '…'
Standard input is left alone unless you give -i: … | xc exec -i 1 -- cat. So these loops work:
  while read -r node; do xc exec $node -- uptime; done <nodes
Its output is printed as it comes. Ctrl-C and other signals go to the command; a third Ctrl-C leaves it alone.
With --json, input and output can have 32 MiB each. A program that the command leaves in the background goes on.`

interface Exec {
  readonly node: string
  readonly argv: readonly string[]
  readonly options: ExecOptions
}

async function exec(session: Session, asked: Exec): Promise<void> {
  if (asked.options.json) await execJson(session, asked)
  else await execStreams(session, asked)
}

/** The whole output in one JSON value. */
async function execJson(session: Session, { node, argv, options }: Exec): Promise<void> {
  const timeoutMs = timeoutOf(options)
  const begun = performance.now()
  const input = options.stdin ? await readInput(timeoutMs) : undefined
  const leftMs = timeoutMs === undefined ? undefined : Math.max(1, timeoutMs - (performance.now() - begun))
  const question = {
    argv,
    ...(input && { input }),
    ...(leftMs !== undefined && { timeoutMs: Math.ceil(leftMs) }),
  }
  const answer = await clientOf(session, patient(options, leftMs)).exec(node, question).catch(notRun)
  if (!answer) return
  const { status, signal, stdout, stderr } = answer
  const text = { stdout: Buffer.from(stdout).toString(), stderr: Buffer.from(stderr).toString() }
  printJson({ v: 1, status, ...(signal !== undefined && { signal }), ...text })
  process.exitCode = status
}

/** As ssh(1) does: what a command prints is yours, and may be bytes for a program, or for your terminal. */
async function execStreams(session: Session, { node, argv, options }: Exec): Promise<void> {
  const { connected, sizeOf } = await import('../connected.ts')
  const timeoutMs = timeoutOf(options)
  const late = new AbortController()
  const cancel = systemClock.after(timeoutMs ?? Number.POSITIVE_INFINITY, () => late.abort())
  const terminal = options.tty ? { ...sizeOf(process.stdout), term: session.env.TERM ?? 'linux' } : undefined
  const spec = { words: argv, signal: late.signal, ...(terminal && { terminal }) }
  try {
    const command = await clientOf(session, patient(options, timeoutMs)).spawn(node, spec)
    const { status } = await connected(command, {
      stdin: options.stdin || options.tty,
      terminal: options.tty,
    })
    process.exitCode = status
  } catch (failure) {
    const { execTimeout } = await import('../../stream/index.ts')
    if (late.signal.aborted) throw execTimeout(nodeText(node), argv[0]!, timeoutMs!)
    notRun(failure)
  } finally {
    cancel()
  }
}

/**
 * The command's own time limit comes first, with a better message. That of the connection is for an owner that hangs.
 */
function patient(options: ExecOptions, leftMs: number | undefined): CommonOptions {
  const { timeout: _, ...others } = options
  return leftMs === undefined ? others : { ...others, timeout: String((leftMs + 500) / 1000) }
}

/** Exit status as in a shell: 127 for a program that the guest does not have, 126 for one that it may not run. */
function notRun(failure: unknown): undefined {
  const { code } = failure as Partial<XclusterError>
  if (code !== 'EXEC_NOT_STARTED' && code !== 'EXEC_NOT_ALLOWED') throw failure
  report(failure)
  process.exitCode = code === 'EXEC_NOT_ALLOWED' ? 126 : 127
}

/** `vm-003` for `3`. */
const nodeText = (node: string): string => (/^\d+$/.test(node) ? nodeName(Number(node)) : node)

import type { Command } from 'commander'
import { gone, OwnerClient, type Status } from '../../client/index.ts'
import type { Launch, StartRequest } from '../../owner/index.ts'
import { planCluster, type Settings } from '../../plan/index.ts'
import { addSettings, settingsOf } from '../options/settings.ts'
import { timeoutOption } from '../options/shared.ts'
import { print, printJson, tell } from '../output.ts'
import { ourName } from '../program-name.ts'
import { type CommonOptions, type Session, timeoutOf } from '../session.ts'
import { followStart } from '../start/follow.ts'
import { clusterTable } from '../view/cluster.ts'
import { planText } from '../view/plan.ts'
import { reachText } from '../view/reach.ts'

interface StartOptions extends CommonOptions {
  readonly dryRun?: boolean
  readonly check?: boolean
}

export function configure(command: Command, session: Session): void {
  addSettings(command, process.argv)
  command
    .option('--dry-run', 'print what would be started; do nothing')
    .option('--check', 'then let the nodes try to reach each other')
    .option('--json', 'print one JSON value (docs/json.md)')
    .option(...timeoutOption)
    .addHelpText('after', nodeHelp)
    .action(async (options: StartOptions & Record<string, unknown>) => {
      const settings = settingsOf(session, options)
      const plan = planCluster(settings)
      if (options.dryRun) return options.json ? printJson(plan) : print(planText(plan))
      await start(session, { settings, nodes: plan.nodes.length, options })
    })
}

const nodeHelp = `
--mem, --smp, --append and --nets-vm have forms for a single node: --mem201 256, --nets3 0,3,1.
Every option --foo-bar is also the environment variable in brackets; the option wins.`

interface Start {
  readonly settings: Settings
  readonly nodes: number
  readonly options: StartOptions
}

async function start(session: Session, { settings, nodes, options }: Start): Promise<void> {
  const timeoutMs = timeoutOf(options)
  const request = { settings, places: session.places, ...(timeoutMs !== undefined && { timeoutMs }) }
  const launch = await launchOf(session, request)
  // Some terminals do not know their size and say 0: a list that changes in place would be one letter a line there.
  const live = process.stdout.isTTY === true && process.stdout.columns >= 40 && !options.json
  const outcome = await followStart(launch, { live, nodes, clones: settings.clone === 'always' })
  if (outcome.status === undefined) {
    await gone(launch.pid)
    process.exitCode = outcome.interrupted
    return
  }
  await tellReady(session, outcome.status as Status, options)
}

/** By the owner that was started ahead, when it is for this cluster. */
async function launchOf({ ahead, env }: Session, request: StartRequest): Promise<Launch> {
  if (ahead?.name === request.settings.name) return ahead.start(request)
  const [{ launchOwner }] = await Promise.all([import('../../owner/index.ts'), ahead?.close()])
  return await launchOwner(request, { env: { ...env } })
}

/** The cluster stays, even when the check fails: it is there to be looked at. */
async function tellReady(session: Session, status: Status, options: StartOptions): Promise<void> {
  const report = options.check ? await new OwnerClient(session.places, status.name).check() : undefined
  if (options.json) printJson({ ...status, ...(report && { check: report }) })
  else {
    print(clusterTable(status))
    if (report) print(reachText(report))
    tell(whatNext(status))
  }
  if (report?.ok !== false) return
  tell(
    `The cluster is left as it is, to be looked at; stop it with: ${ourName()} stop${optionFor(status.name)}`,
  )
  process.exitCode = 1
}

/** What says which cluster, where that is not clear anyway. */
function optionFor(name: string): string {
  return name === 'default' ? '' : ` --name ${name}`
}

function whatNext({ name, nodes }: Status): string {
  const [xc, of] = [ourName(), optionFor(name)]
  const node = nodes[0]?.id
  const tries = [
    node !== undefined && [`${xc} exec ${node}${of} -- ip -br addr`, 'run a command on a node'],
    node !== undefined && [`${xc} vm ${node}${of}`, 'its console; Ctrl-] leaves'],
    [`${xc} status${of}`, 'this table'],
    [`${xc} stop${of}`, 'stop it; nothing stays'],
  ].filter(line => line !== false)
  const width = Math.max(...tries.map(([command]) => command!.length))
  return ['Try:', ...tries.map(([command, about]) => `  ${command!.padEnd(width)}  ${about}`)].join('\n')
}

import type { Command } from 'commander'
import { gone, OwnerClient, type Status } from '../../client/index.ts'
import type { Launch, StartOrder } from '../../owner/index.ts'
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
    .option('--dry-run', 'print the plan and start nothing')
    .option('--check', 'check afterwards which nodes reach each other')
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
--mem, --smp, --append and --nets-vm can be set for one node: --mem201 256, --nets3 0,3,1.
The environment variable of each option is in brackets. The option wins.`

interface Start {
  readonly settings: Settings
  readonly nodes: number
  readonly options: StartOptions
}

async function start(session: Session, { settings, nodes, options }: Start): Promise<void> {
  const timeoutMs = timeoutOf(options)
  const request = { settings, places: session.places, ...(timeoutMs !== undefined && { timeoutMs }) }
  const launch = await launchOf(session, request)
  // A terminal without a known size reports 0 columns: a list that changes in place would have one letter a line.
  const live = process.stdout.isTTY === true && process.stdout.columns >= 40 && !options.json
  const outcome = await followStart(launch, { live, nodes, clones: settings.clone === 'always' })
  if (outcome.status === undefined) {
    await gone(launch.pid)
    process.exitCode = outcome.interrupted
    return
  }
  await tellReady(session, outcome.status as Status, options)
}

/** Uses the owner that was started ahead, if it is for this cluster. */
async function launchOf({ ahead, env }: Session, request: StartOrder): Promise<Launch> {
  if (ahead?.name === request.settings.name) return ahead.start(request)
  const [{ launchOwner }] = await Promise.all([import('../../owner/index.ts'), ahead?.close()])
  return await launchOwner(request, { env: { ...env } })
}

/** The cluster keeps running even when the check fails, so that you can find out why. */
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
    `The cluster keeps running, so that you can inspect it. Stop it with: ${ourName()} stop${optionFor(status.name)}`,
  )
  process.exitCode = 1
}

/** The option that selects a cluster; the default one needs none. */
function optionFor(name: string): string {
  return name === 'default' ? '' : ` --name ${name}`
}

function whatNext({ name, nodes }: Status): string {
  const [xc, of] = [ourName(), optionFor(name)]
  const node = nodes[0]?.id
  const tries = [
    node !== undefined && [`${xc} exec ${node}${of} -- ip -br addr`, 'run a command on a node'],
    node !== undefined && [`${xc} vm ${node}${of}`, 'connect to its console; Ctrl-] leaves'],
    [`${xc} status${of}`, 'print this table'],
    [`${xc} stop${of}`, 'stop the cluster and remove all of it'],
  ].filter(line => line !== false)
  const width = Math.max(...tries.map(([command]) => command!.length))
  return ['Try:', ...tries.map(([command, about]) => `  ${command!.padEnd(width)}  ${about}`)].join('\n')
}
